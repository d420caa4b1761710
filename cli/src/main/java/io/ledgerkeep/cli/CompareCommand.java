package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Comparison;
import io.ledgerkeep.Ledgerkeep.Comparison.Difference;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "compare",
    description = {
      "Compares two ledgers, whatever engines, keys and archives they have, and names the first"
          + " difference: a height and a transaction, or the namespace of a key. Nothing of either"
          + " is changed.",
      "Archived blocks are read from --archive, which may hold both archives; without it the digests"
          + " recorded at commit are compared. The exit code is 0 if they are equal, 1 if not."
    })
final class CompareCommand extends LedgerCommand {

  @Parameters(index = "0", paramLabel = "A", description = "The directory of a ledger.")
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private Path one;

  @Parameters(index = "1", paramLabel = "B", description = "The directory of the other.")
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private Path other;

  @Option(
      names = "--other-config",
      paramLabel = "FILE",
      description = "The configuration of B, where it is not that of A: its key, its engines.")
  private @Nullable Path otherConfig;

  @Option(
      names = "--other-archive",
      paramLabel = "DIR",
      description = "The directory of B's archive, where it is not that of A's.")
  private @Nullable Path otherArchive;

  @Override
  Outcome run(Settings settings) {
    Settings ofOther = otherConfig == null ? settings : settings.ofFile(otherConfig);
    if (otherArchive != null) {
      ofOther = ofOther.withArchive(otherArchive);
    }
    Ledgerkeep.Builder builder = ofOther.withData(other).ledger();
    Comparison found;
    try (JobWatch watch = JobWatch.begin(console())) {
      found =
          OpenLedger.withThreads(
              settings.withData(one).ledger(), of -> of.compare(builder, watch.control()));
    }
    return outcome(found);
  }

  private static Outcome outcome(Comparison found) {
    if (found.cancelled()) {
      throw CommandException.interrupted(
          "stopped after " + Units.blocks(found.blocks()) + "; no difference among them");
    }
    Outcome outcome = Outcome.of(found.isEqual() ? ExitCode.DONE : ExitCode.FAILED);
    found.first().ifPresent(first -> outcome.say("first difference: " + words(first)));
    outcome.say(
        found.isEqual()
            ? "equal: %s, state and history".formatted(Units.blocks(found.blocks()))
            : "equal before that: " + Units.blocks(found.blocks()));
    if (found.blocksByDigest() > 0) {
      outcome.say(
          "of %s the recorded digests were compared: a body is archived and its archive was not given"
              .formatted(Units.blocks(found.blocksByDigest())));
    }
    return outcome
        .put("equal", found.isEqual())
        .put("height", found.height())
        .put("otherHeight", found.otherHeight())
        .put("blocks", found.blocks())
        .put("blocksByDigest", found.blocksByDigest())
        .put("part", found.first().map(first -> name(first)).orElse(""))
        .put("differsAt", found.first().map(Difference::height).orElse(-1L))
        .put("namespace", found.first().flatMap(Difference::namespace).orElse(""))
        .put("difference", found.first().map(Difference::what).orElse(""))
        .put("exitCode", outcome.exitCode());
  }

  private static String words(Difference first) {
    return first
        .namespace()
        .map(namespace -> "%s, namespace %s: %s".formatted(name(first), namespace, first.what()))
        .orElseGet(() -> "height %s: %s".formatted(first.height(), first.what()));
  }

  private static String name(Difference first) {
    return first.part().name().toLowerCase(Locale.ROOT).replace("_", "");
  }
}
