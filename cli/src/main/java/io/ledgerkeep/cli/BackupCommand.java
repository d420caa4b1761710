package io.ledgerkeep.cli;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Backup.Kind;
import io.ledgerkeep.Backup.Plan;
import io.ledgerkeep.Backup.Report;
import io.ledgerkeep.Backup.Request;
import io.ledgerkeep.Ledgerkeep.Maintenance;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "backup",
    description = {
      "Backs up the ledger of --data, or has the node do it that has it open and serves its control"
          + " socket.",
      "Backups are numbered within the directory. An incremental one has what came after the newest"
          + " one there, and is of use together with it. Archived blocks are in the archive and in no"
          + " backup.",
      "Killed or stopped, the same command goes on where it was."
    })
final class BackupCommand extends LedgerCommand {

  private static final String NAME = "backup";

  @Option(
      names = "--to",
      paramLabel = "DIR",
      required = true,
      description = "The directory of the backups, best on another disk.")
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private Path to;

  @Option(names = "--incremental", description = "Only what came after the newest backup there.")
  private boolean incremental;

  @Mixin private final Pace pace = new Pace();

  @Option(names = "--dry-run", description = "Show what would be done; write nothing.")
  private boolean dryRun;

  @Override
  Outcome run(Settings settings) {
    pace.check();
    Request request = incremental ? Request.incremental(to) : Request.full(to);
    try (MaintainedLedger open = OpenLedger.maintained(settings)) {
      return dryRun
          ? outcome(open.ledger().backup().plan(request))
          : outcome(made(open.ledger(), request));
    }
  }

  private Report made(Maintenance ledger, Request request) {
    return pace.run(console(), control -> ledger.backup().run(request.with(control)));
  }

  private static Outcome outcome(Plan plan) {
    Outcome outcome =
        Outcome.done()
            .say(
                "would make %s backup %s with %s"
                    .formatted(word(plan.kind()), plan.number(), Units.blocks(plan.blocks())));
    say(outcome, "height", String.valueOf(plan.height()));
    say(outcome, "bodies", Units.bytes(plan.bodyBytes()));
    say(outcome, "state", plan.stateIncluded() ? "included" : "follows from the blocks");
    return outcome
        .put("job", NAME)
        .put("dryRun", true)
        .put("kind", word(plan.kind()))
        .put("number", plan.number())
        .put("height", plan.height())
        .put("blocks", plan.blocks())
        .put("stateIncluded", plan.stateIncluded())
        .put("bodyBytes", plan.bodyBytes());
  }

  private static Outcome outcome(Report report) {
    if (report.outcome() == Backup.Outcome.CANCELLED) {
      throw CommandException.interrupted(
          "backup stopped; there is none yet. Run the same command again to go on");
    }
    Outcome outcome = Outcome.done();
    if (report.outcome() == Backup.Outcome.NOTHING_TO_DO) {
      outcome.say(
          "nothing to back up: backup %s has all up to height %s"
              .formatted(report.number(), report.height()));
    } else {
      outcome.say(
          "backup: %s backup %s has %s, made in %s"
              .formatted(
                  word(report.kind()),
                  report.number(),
                  Units.blocks(report.blocks()),
                  Units.duration(report.elapsed())));
      say(outcome, "directory", report.path().toString());
      say(outcome, "height", String.valueOf(report.height()));
      say(outcome, "archived height", String.valueOf(report.archivedHeight()));
      say(outcome, "rows", Units.bytes(report.rawBytes()) + " in " + Units.bytes(report.bytes()));
      say(outcome, "state", report.stateIncluded() ? "included" : "follows from the blocks");
    }
    return outcome
        .put("job", NAME)
        .put("dryRun", false)
        .put("changed", report.outcome() == Backup.Outcome.DONE)
        .put("kind", word(report.kind()))
        .put("number", report.number())
        .put("path", report.path().toString())
        .put("height", report.height())
        .put("archivedHeight", report.archivedHeight())
        .put("blocks", report.blocks())
        .put("stateIncluded", report.stateIncluded())
        .put("rows", report.rows())
        .put("rawBytes", report.rawBytes())
        .put("bytes", report.bytes())
        .put("keptBytes", report.keptBytes())
        .put("millis", report.elapsed().toMillis());
  }

  private static String word(Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  static void say(Outcome outcome, String name, String value) {
    outcome.say("  %-17s%s".formatted(name, value));
  }
}
