package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import java.io.IOException;
import picocli.CommandLine.Mixin;

/** What the commands that move bodies share: show the plan, ask, run, report. */
abstract class JobCommand extends LedgerCommand {

  @Mixin private final Pace pace = new Pace();

  @Mixin private final Consent consent = new Consent();

  /** Refuses what can be told to be wrong before the ledger is opened. */
  void check(Settings settings) {}

  abstract JobPlan plan(Maintenance ledger, Settings settings);

  abstract JobReport job(Maintenance ledger, Settings settings, JobControl control);

  /** Tells what a dry run that finds nothing to do can tell of that. */
  void sayWhyNothing(Outcome outcome, Maintenance ledger, Settings settings) {}

  @Override
  final Outcome run(Settings settings) throws IOException {
    pace.check();
    check(settings);
    try (MaintainedLedger open = OpenLedger.maintained(settings)) {
      JobPlan plan = plan(open.ledger(), settings);
      if (consent.dryRun()) {
        Outcome outcome = outcome(plan);
        if (plan.blocks() == 0) {
          sayWhyNothing(outcome, open.ledger(), settings);
        }
        return outcome;
      }
      if (plan.blocks() > 0) {
        consent.ask(console(), outcome(plan));
      }
      JobReport report = pace.run(console(), control -> job(open.ledger(), settings, control));
      return outcome(report);
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
