package io.ledgerkeep.cli;

import com.google.common.collect.Streams;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Conversion;
import io.ledgerkeep.Ledgerkeep.Conversion.Report;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What encrypting and decrypting share: show the plan, ask, copy, switch, tell what is left. */
abstract class TdeConvertCommand extends LedgerCommand {

  @Mixin private final Pace pace = new Pace();

  @Mixin private final Consent consent = new Consent();

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
    pace.check();
    if (consent.wantsPlan()) {
      Report plan = OpenLedger.withThreads(settings.ledger(), this::plan);
      if (consent.dryRun() || plan.outcome() == Conversion.Outcome.NOTHING_TO_DO) {
        return outcome(plan, settings);
      }
      consent.ask(console(), outcome(plan, settings));
    }
    return outcome(OpenLedger.withThreads(settings.ledger(), this::convert), settings);
  }

  private Report plan(Ledgerkeep.Builder builder) {
    return builder.convert(conversion.asDryRun());
  }

  private Report convert(Ledgerkeep.Builder builder) {
    return pace.run(console(), control -> builder.convert(conversion.with(control)));
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
        .put("dryRun", consent.dryRun())
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
