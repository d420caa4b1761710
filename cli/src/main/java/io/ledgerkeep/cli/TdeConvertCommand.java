package io.ledgerkeep.cli;

import com.google.common.collect.Streams;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Conversion;
import io.ledgerkeep.Ledgerkeep.Conversion.Report;
import io.ledgerkeep.job.JobControl;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What encrypting and decrypting share: show the plan, ask, copy, switch, tell what is left. */
abstract class TdeConvertCommand extends LedgerCommand {

  @Option(
      names = "--max-rate",
      paramLabel = "MB/s",
      description = "The most megabytes of blocks to copy in a second.")
  private @Nullable Double maxRate;

  @Option(names = "--dry-run", description = "Show what would be done; change nothing.")
  private boolean dryRun;

  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  private final Conversion conversion;
  private final String verb;
  private final String state;

  private TdeConvertCommand(Conversion conversion, String verb, String state) {
    this.conversion = conversion;
    this.verb = verb;
    this.state = state;
  }

  @Command(
      name = "encrypt",
      description = {
        "Encrypts a ledger in plain under the key of the configuration, and its archive with it.",
        "Makes an encrypted copy, verifies and compares it, and switches to it in one step. The"
            + " original stays, in plain, until you remove it."
      })
  static final class Encrypt extends TdeConvertCommand {
    Encrypt() {
      super(Conversion.encrypt(), "encrypt", "encrypted");
    }

    @Override
    void sayOfOriginal(Outcome outcome, Report report, Optional<Path> archive) {
      outcome.say(
          "The original is in plain and stays so until you remove it; what was removed may still be"
              + " found on the disk:");
      outcome.say(remove(report.originals()));
      archive.ifPresent(
          path ->
              outcome
                  .say("Its archive is in plain too, and holds every archived block:")
                  .say(remove(List.of(path))));
    }
  }

  @Command(
      name = "decrypt",
      description = {
        "Brings an encrypted ledger back into plain, and its archive with it; the configuration has"
            + " its key.",
        "Makes a copy in plain, verifies and compares it, and switches to it in one step. The"
            + " original stays, encrypted, until you remove it."
      })
  static final class Decrypt extends TdeConvertCommand {
    Decrypt() {
      super(Conversion.decrypt(), "decrypt", "in plain");
    }

    @Override
    void sayOfOriginal(Outcome outcome, Report report, Optional<Path> archive) {
      outcome.say("The ledger is in plain now: take the key out of the configuration.");
      outcome.say("The original stays, encrypted, until you remove it:");
      outcome.say(remove(report.originals()));
      archive.ifPresent(path -> outcome.say("So does its archive:").say(remove(List.of(path))));
    }
  }

  /** Says what is left of the original, and how to be rid of it. */
  abstract void sayOfOriginal(Outcome outcome, Report report, Optional<Path> archive);

  @Override
  final Outcome run(Settings settings) throws IOException {
    JobCommand.requireRate(maxRate);
    if (dryRun || !yes) {
      Report plan = OpenLedger.withThreads(settings.ledger(), this::plan);
      if (dryRun || plan.outcome() == Conversion.Outcome.NOTHING_TO_DO) {
        return outcome(plan, settings);
      }
      ask(plan, settings);
    }
    return outcome(OpenLedger.withThreads(settings.ledger(), this::convert), settings);
  }

  private Report plan(Ledgerkeep.Builder builder) {
    return builder.convert(conversion.asDryRun());
  }

  private Report convert(Ledgerkeep.Builder builder) {
    try (JobWatch watch = JobWatch.begin(console())) {
      JobControl control = watch.control();
      if (maxRate != null) {
        control = control.atMost((long) (maxRate * Units.MEGABYTE));
      }
      return builder.convert(conversion.with(control));
    }
  }

  private void ask(Report plan, Settings settings) throws IOException {
    Console console = console();
    outcome(plan, settings).lines().forEach(console.err()::println);
    if (!console.terminal()) {
      throw CommandException.usage("this changes data: add --yes, or --dry-run to only look");
    }
    if (!console.confirms("Go on?")) {
      throw CommandException.refused("nothing was changed");
    }
  }

  private Outcome outcome(Report report, Settings settings) {
    Outcome outcome = Outcome.done();
    Optional<Path> archive =
        report
            .archiveBefore()
            .filter(prefix -> settings.hasArchive())
            .map(prefix -> settings.archive().resolve(prefix));
    switch (report.outcome()) {
      case NOTHING_TO_DO -> outcome.say("nothing to %s: the ledger is %s".formatted(verb, state));
      case PLANNED -> sayPlan(outcome, report);
      case DONE -> {
        sayDone(outcome, report);
        sayOfOriginal(outcome, report, archive);
      }
      case CANCELLED ->
          throw CommandException.interrupted(
              verb + " stopped; the ledger is as it was. Run the same command again to go on");
    }
    outcome
        .put("job", verb)
        .put("dryRun", dryRun)
        .put("changed", report.outcome() == Conversion.Outcome.DONE)
        .put("ledgerIdBefore", report.ledgerIdBefore())
        .put("ledgerIdAfter", report.ledgerIdAfter())
        .put("blocks", report.blocks())
        .put("bytesNeeded", report.bytesNeeded())
        .put("backup", report.backup().map(Path::toString).orElse(""))
        .put("originals", report.originals().stream().map(Path::toString).toList())
        .put("archiveBefore", archive.map(Path::toString).orElse(""));
    List<Path> earlier = earlierInPlain(settings.data(), report);
    outcome.put("earlierInPlain", earlier.stream().map(Path::toString).toList());
    if (!earlier.isEmpty()) {
      outcome.say(
          "Earlier originals in plain are still there; the LAYOUT of each names its databases:");
      earlier.forEach(path -> outcome.say("  " + path));
    }
    return outcome.put("millis", report.elapsed().toMillis());
  }

  /** Who encrypts a ledger again may have forgotten them. */
  private static List<Path> earlierInPlain(Path data, Report report) {
    try (DirectoryStream<Path> backups = Files.newDirectoryStream(data, "backup-*-plain")) {
      return Streams.stream(backups)
          .filter(path -> !report.originals().contains(path))
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of(); // the directory was read a moment ago; what was done is told all the same
    }
  }

  private void sayPlan(Outcome outcome, Report plan) {
    outcome.say("would %s %s".formatted(verb, Units.blocks(plan.blocks())));
    say(outcome, "needed, about", Units.bytes(plan.bytesNeeded()));
  }

  private void sayDone(Outcome outcome, Report report) {
    outcome.say(
        "%s: copied %s in %s; the ledger is %s"
            .formatted(
                verb, Units.blocks(report.blocks()), Units.duration(report.elapsed()), state));
    say(outcome, "ledger", report.ledgerIdBefore() + " -> " + report.ledgerIdAfter());
    report.backup().ifPresent(path -> say(outcome, "original", path.toString()));
  }

  private static void say(Outcome outcome, String name, String value) {
    outcome.say("  %-17s%s".formatted(name, value));
  }

  static String remove(List<Path> paths) {
    return paths.stream()
        .map(Path::toString)
        .map(TdeConvertCommand::quoted)
        .collect(Collectors.joining(" ", "  rm -r ", ""));
  }

  /** Returns a path as a shell takes it for one word. */
  static String quoted(String path) {
    return path.matches("[A-Za-z0-9_./=+-]+") ? path : "'" + path.replace("'", "'\\''") + "'";
  }
}
