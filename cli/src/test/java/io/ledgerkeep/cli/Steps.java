package io.ledgerkeep.cli;

import java.util.List;
import java.util.stream.Stream;

/**
 * The steps of a job at which a process of its own is killed. The tests of core stop every job at
 * every step, within their own process and in a moment; a process takes seconds, so there are a few
 * steps here, and all of them with the long tests.
 */
final class Steps {

  private Steps() {}

  static Stream<String> of(List<String> always, List<String> withTheLongTests) {
    return Boolean.getBoolean("ledgerkeep.long")
        ? Stream.concat(always.stream(), withTheLongTests.stream())
        : always.stream();
  }
}
