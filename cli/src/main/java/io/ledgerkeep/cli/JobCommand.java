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
    requireRate();
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

  private void requireRate() {
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
      outcome.say(
          "nothing to " + plan.job() + ": the archived height is " + plan.archivedHeightBefore());
    } else {
      outcome
          .say("would " + plan.job() + " " + Units.blocks(plan.blocks()))
          .say(
              "  archived height  "
                  + plan.archivedHeightBefore()
                  + " -> "
                  + plan.archivedHeightAfter())
          .say("  to move          " + Units.bytes(plan.bytesToMove()))
          .say("  to free, about   " + Units.bytes(plan.bytesToFree()))
          .say("  needed, about    " + Units.bytes(plan.bytesNeeded()))
          .say("  time, about      " + Units.duration(plan.duration()));
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
          report.job()
              + " stopped after "
              + Units.blocks(report.blocks())
              + " with the archived height at "
              + report.archivedHeightAfter()
              + "; run the same command again to go on");
    }
    Outcome outcome = Outcome.done();
    if (report.blocks() == 0) {
      outcome.say(
          "nothing to "
              + report.job()
              + ": the archived height is "
              + report.archivedHeightAfter());
    } else {
      outcome
          .say(
              report.job()
                  + ": moved "
                  + Units.blocks(report.blocks())
                  + " in "
                  + Units.duration(report.elapsed()))
          .say(
              "  archived height  "
                  + report.archivedHeightBefore()
                  + " -> "
                  + report.archivedHeightAfter())
          .say("  moved            " + Units.bytes(report.bytesMoved()))
          .say("  written          " + Units.bytes(report.bytesWritten()))
          .say(
              "  block database   "
                  + Units.bytes(report.bytesOnDiskBefore())
                  + " -> "
                  + Units.bytes(report.bytesOnDiskAfter()));
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
}
