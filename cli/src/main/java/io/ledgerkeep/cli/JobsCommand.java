package io.ledgerkeep.cli;

import io.ledgerkeep.Ledger.Jobs;
import io.ledgerkeep.Ledger.Jobs.Job;
import io.ledgerkeep.Ledger.Jobs.State;
import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.job.Progress;
import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "jobs",
    description = {
      "Shows and controls the maintenance jobs of the ledger of --data.",
      "While a node has the ledger open, its jobs are reached through its control socket."
    },
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      JobsCommand.ListJobs.class,
      JobsCommand.Status.class,
      JobsCommand.Cancel.class,
      JobsCommand.Resume.class
    })
final class JobsCommand {

  @Command(
      name = "list",
      description = "Lists the jobs that run, and those that ended, the newest first.")
  static final class ListJobs extends LedgerCommand {

    @Option(names = "--last", paramLabel = "N", description = "How many at most; 20 by default.")
    private int last = 20;

    @Override
    Outcome run(Settings settings) {
      try (MaintainedLedger open = OpenLedger.maintained(settings)) {
        List<Map<String, Object>> shown = new ArrayList<>();
        Outcome outcome = Outcome.done();
        for (Job job : open.ledger().jobs().list().stream().limit(Math.max(0, last)).toList()) {
          shown.add(fields(job));
          outcome.say(line(job));
        }
        if (shown.isEmpty()) {
          outcome.say("no job is known");
        }
        return outcome.put("jobs", shown);
      }
    }
  }

  /** What those share that deal with one job. */
  abstract static class OnJob extends LedgerCommand {

    @Parameters(paramLabel = "NUMBER", description = "The number of the job, as the list has it.")
    private long number;

    abstract Outcome run(Maintenance ledger, Job job) throws IOException;

    @Override
    final Outcome run(Settings settings) throws IOException {
      try (MaintainedLedger open = OpenLedger.maintained(settings)) {
        return run(open.ledger(), job(open.ledger().jobs()));
      }
    }

    final Job job(Jobs jobs) {
      return jobs.list().stream()
          .filter(job -> job.number() == number)
          .findFirst()
          .orElseThrow(
              () ->
                  CommandException.refused(
                      "there is no job %s among those that are known (ledgerkeep jobs list)"
                          .formatted(number)));
    }

    static Outcome told(Job job) {
      Outcome outcome = Outcome.done().say(line(job));
      if (!job.result().isEmpty()) {
        outcome.say("  result   " + job.result());
      }
      job.progress().ifPresent(now -> outcome.say("  progress " + text(now)));
      return outcome.putAll(fields(job));
    }
  }

  @Command(name = "status", description = "Shows one job.")
  static final class Status extends OnJob {

    @Override
    Outcome run(Maintenance ledger, Job job) {
      return told(job);
    }
  }

  @Command(
      name = "cancel",
      description = "Asks a job that runs to end at the next safe place; it can be resumed.")
  static final class Cancel extends OnJob {

    @Override
    Outcome run(Maintenance ledger, Job job) {
      boolean ran = ledger.jobs().cancel(job.number());
      Outcome outcome = Outcome.done().put("number", job.number()).put("cancelled", ran);
      return outcome.say(
          ran
              ? "job %s (%s) was asked to end".formatted(job.number(), job.name())
              : "job %s (%s) does not run: %s"
                  .formatted(job.number(), job.name(), word(job.state())));
    }
  }

  @Command(
      name = "resume",
      description = "Runs again what a cancelled, failed or interrupted job had begun.")
  static final class Resume extends OnJob {

    @Mixin private final Pace pace = new Pace();

    @Override
    Outcome run(Maintenance ledger, Job job) {
      pace.check();
      Job resumed = pace.run(console(), control -> ledger.jobs().resume(job.number(), control));
      if (resumed.state() == State.CANCELLED) {
        throw CommandException.interrupted(
            "job %s stopped; ledgerkeep jobs resume %s goes on"
                .formatted(resumed.number(), resumed.number()));
      }
      return OnJob.told(resumed);
    }
  }

  private static String line(Job job) {
    String took =
        job.ended()
            .map(ended -> " in " + Units.duration(Duration.between(job.begun(), ended)))
            .orElse("");
    return "%4s  %-11s  %-14s  %s%s  by %s  %s"
        .formatted(
            job.number(),
            word(job.state()),
            job.name(),
            job.begun().truncatedTo(ChronoUnit.SECONDS),
            took,
            job.by(),
            job.range())
        .stripTrailing();
  }

  private static String text(Progress progress) {
    return "%s %s of %s blocks, %s"
        .formatted(
            progress.phase(),
            progress.doneBlocks(),
            progress.totalBlocks(),
            Units.bytes(progress.bytes()));
  }

  private static Map<String, Object> fields(Job job) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("number", job.number());
    fields.put("job", job.name());
    fields.put("state", word(job.state()));
    fields.put("range", job.range());
    fields.put("by", job.by());
    fields.put("begun", job.begun().toString());
    job.ended().ifPresent(ended -> fields.put("ended", ended.toString()));
    fields.put("result", job.result());
    job.progress()
        .ifPresent(
            now -> {
              fields.put("phase", now.phase());
              fields.put("doneBlocks", now.doneBlocks());
              fields.put("totalBlocks", now.totalBlocks());
              fields.put("bytes", now.bytes());
            });
    return fields;
  }

  private static String word(State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }
}
