package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Rebuilder;
import java.time.Clock;

/** Rebuilds the ledger of a directory; {@link RebuildJob} does the work. */
record LedgerRebuilder(Settings settings, Clock clock) implements Rebuilder {

  @Override
  public Plan plan(Request request) {
    return new RebuildJob(settings, request, clock).plan();
  }

  @Override
  public Report rebuild(Request request) {
    return new RebuildJob(settings, request, clock).run();
  }
}
