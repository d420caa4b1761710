package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.Units;
import io.ledgerkeep.cli.monitor.Machine.Running;
import io.ledgerkeep.cli.report.Finding;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What the owner takes of its machine; told only, since what is much differs. */
final class LoadChecks {

  private static final String UNKNOWN = "not known here";

  private Optional<Running> before = Optional.empty();
  private Instant seenAt = Instant.MIN;

  /** Returns a line of each; none where there is no owner. */
  List<Finding> of(Optional<Running> process, Instant now) {
    // Another process since, or the first: then there is nothing to take a rate from.
    Optional<Running> earlier =
        before.filter(last -> last.started().equals(process.flatMap(Running::started)));
    Duration passed = earlier.isEmpty() ? Duration.ZERO : Duration.between(seenAt, now);
    before = process;
    seenAt = now;
    return process
        .map(
            owner ->
                List.of(
                    Finding.note("cpu", cpu(owner, earlier, passed)),
                    Finding.note("memory", memory(owner)),
                    Finding.note(
                        "bytes read",
                        bytes(owner.readBytes(), earlier.map(Running::readBytes), passed)),
                    Finding.note(
                        "bytes written",
                        bytes(owner.writtenBytes(), earlier.map(Running::writtenBytes), passed))))
        .orElse(List.of());
  }

  private static String cpu(Running owner, Optional<Running> earlier, Duration passed) {
    if (owner.cpu().isEmpty()) {
      return UNKNOWN;
    }
    Duration used = owner.cpu().get();
    String total = Units.duration(used) + " since its start";
    Optional<Duration> last = earlier.flatMap(Running::cpu);
    if (last.isEmpty() || passed.toMillis() <= 0) {
      return total;
    }
    long percent = 100 * used.minus(last.get()).toMillis() / passed.toMillis();
    return "%s %% of a core, %s".formatted(percent, total);
  }

  private static String memory(Running owner) {
    OptionalLong bytes = owner.memoryBytes();
    return bytes.isPresent() ? Units.bytes(bytes.getAsLong()) : UNKNOWN;
  }

  private static String bytes(OptionalLong bytes, Optional<OptionalLong> earlier, Duration passed) {
    if (bytes.isEmpty()) {
      return UNKNOWN;
    }
    String total = Units.bytes(bytes.getAsLong()) + " since its start";
    OptionalLong last = earlier.orElse(OptionalLong.empty());
    if (last.isEmpty() || passed.toMillis() <= 0) {
      return total;
    }
    long rate = 1000 * (bytes.getAsLong() - last.getAsLong()) / passed.toMillis();
    return Units.rate(rate) + ", " + total;
  }
}
