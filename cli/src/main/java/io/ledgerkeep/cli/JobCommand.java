package io.ledgerkeep.cli;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the commands that move bodies share: show the plan, ask, run, report. */
abstract class JobCommand extends LedgerCommand {

  @Option(
      names = "--max-rate",
      paramLabel = "MB/s",
      description = "The most megabytes of blocks to move in a second.")
  private @Nullable Double maxRate;

  @Option(names = "--dry-run", description = "Show what would be done; change nothing.")
  private boolean dryRun;

  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  abstract JobPlan plan(Ledger ledger);

  abstract JobReport job(Ledger ledger, JobControl control);

  @Override
  final Outcome run(Settings settings) throws IOException {
    requireRate(maxRate);
    try (OpenLedger open = OpenLedger.existing(settings.ledger())) {
      JobPlan plan = plan(open.ledger());
      if (dryRun) {
        return outcome(plan);
      }
      if (plan.blocks() > 0 && !yes) {
        ask(plan);
      }
      return outcome(runJob(open.ledger()));
    }
  }

  static void requireRate(@Nullable Double maxRate) {
    if (maxRate != null && !(maxRate * Units.MEGABYTE >= 1)) {
      throw CommandException.usage("--max-rate must be at least a byte a second");
    }
  }

  private void ask(JobPlan plan) throws IOException {
    Console console = console();
    outcome(plan).lines().forEach(console.err()::println);
    if (!console.terminal()) {
      throw CommandException.usage("this changes data: add --yes, or --dry-run to only look");
    }
    if (!console.confirms("Go on?")) {
      throw CommandException.refused("nothing was changed");
    }
  }

  private JobReport runJob(Ledger ledger) {
    try (JobWatch watch = JobWatch.begin(console())) {
      JobControl control = watch.control();
      if (maxRate != null) {
        control = control.atMost((long) (maxRate * Units.MEGABYTE));
      }
      return job(ledger, control);
    }
  }

  private static Outcome outcome(JobPlan plan) {
    Outcome outcome = Outcome.done();
    if (plan.blocks() == 0) {
      sayNothingToDo(outcome, plan.job(), plan.archivedHeightBefore());
    } else {
      outcome.say("would %s %s".formatted(plan.job(), Units.blocks(plan.blocks())));
      sayChange(
          outcome, "archived height", plan.archivedHeightBefore(), plan.archivedHeightAfter());
      say(outcome, "to move", Units.bytes(plan.bytesToMove()));
      say(outcome, "to free, about", Units.bytes(plan.bytesToFree()));
      say(outcome, "needed, about", Units.bytes(plan.bytesNeeded()));
      say(outcome, "time, about", Units.duration(plan.duration()));
    }
    return outcome
        .put("job", plan.job())
        .put("dryRun", true)
        .put("archivedHeightBefore", plan.archivedHeightBefore())
        .put("archivedHeightAfter", plan.archivedHeightAfter())
        .put("blocks", plan.blocks())
        .put("bytesToMove", plan.bytesToMove())
        .put("bytesToFree", plan.bytesToFree())
        .put("bytesNeeded", plan.bytesNeeded())
        .put("millis", plan.duration().toMillis());
  }

  private static Outcome outcome(JobReport report) {
    if (report.cancelled()) {
      throw CommandException.interrupted(
          "%s stopped after %s with the archived height at %s; run the same command again to go on"
              .formatted(
                  report.job(), Units.blocks(report.blocks()), report.archivedHeightAfter()));
    }
    Outcome outcome = Outcome.done();
    if (report.blocks() == 0) {
      sayNothingToDo(outcome, report.job(), report.archivedHeightAfter());
    } else {
      outcome.say(
          "%s: moved %s in %s"
              .formatted(
                  report.job(), Units.blocks(report.blocks()), Units.duration(report.elapsed())));
      sayChange(
          outcome, "archived height", report.archivedHeightBefore(), report.archivedHeightAfter());
      say(outcome, "moved", Units.bytes(report.bytesMoved()));
      say(outcome, "written", Units.bytes(report.bytesWritten()));
      sayChange(
          outcome,
          "block database",
          Units.bytes(report.bytesOnDiskBefore()),
          Units.bytes(report.bytesOnDiskAfter()));
    }
    return outcome
        .put("job", report.job())
        .put("archivedHeightBefore", report.archivedHeightBefore())
        .put("archivedHeightAfter", report.archivedHeightAfter())
        .put("blocks", report.blocks())
        .put("bytesMoved", report.bytesMoved())
        .put("bytesWritten", report.bytesWritten())
        .put("bytesOnDiskBefore", report.bytesOnDiskBefore())
        .put("bytesOnDiskAfter", report.bytesOnDiskAfter())
        .put("bytesFreed", report.bytesFreed())
        .put("millis", report.elapsed().toMillis());
  }

  private static void sayNothingToDo(Outcome outcome, String job, long archivedHeight) {
    outcome.say("nothing to %s: the archived height is %s".formatted(job, archivedHeight));
  }

  private static void sayChange(Outcome outcome, String name, Object before, Object after) {
    say(outcome, name, before + " -> " + after);
  }

  private static void say(Outcome outcome, String name, String value) {
    outcome.say("  %-17s%s".formatted(name, value));
  }
}
