package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import java.util.OptionalLong;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "archive",
    description = {
      "Moves the bodies of old blocks to the archive, up to a height.",
      "The genesis block, config blocks and the newest blocks stay on the node."
    })
final class ArchiveCommand extends JobCommand {

  /** What a segment has, as it is stored, when it takes no more blocks. */
  private static final long SEGMENT_BYTES = 128L << 20;

  /** One of them has to be given. */
  private static final class Target {

    @Option(
        names = "--to",
        paramLabel = "H",
        required = true,
        description = "The archived height to reach; no config block.")
    private long to = -1;

    @Option(
        names = "--policy",
        required = true,
        description = {
          "What is due by the rules of --config, in whole segments: for a scheduler to call as often"
              + " as it likes."
        })
    private boolean policy;
  }

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Target target = new Target();

  @Override
  void check(Settings settings) {
    if (target.policy) {
      settings.archivePolicy();
    } else {
      requireNotNegative("--to", target.to);
    }
  }

  @Override
  JobPlan plan(Maintenance ledger, Settings settings) {
    return ledger.archiver().plan(request(ledger, settings));
  }

  @Override
  JobReport job(Maintenance ledger, Settings settings, JobControl control) {
    return ledger.archiver().archive(request(ledger, settings).with(control));
  }

  /** Blocks bear no time that a ledger could read, so the next run is told in blocks. */
  @Override
  void sayWhyNothing(Outcome outcome, Maintenance ledger, Settings settings) {
    if (!target.policy) {
      return;
    }
    OptionalLong due = ledger.archiver().due(settings.archivePolicy());
    if (due.isEmpty()) {
      outcome.say("  the rules let all blocks stay that are on the node");
      return;
    }
    JobPlan plan = ledger.archiver().plan(ArchiveRequest.upTo(due.getAsLong()));
    outcome.put("dueBlocks", plan.blocks()).put("dueStoredBytes", plan.bytesNeeded());
    outcome.say(
        "  due are %s up to height %s, about %s as stored; a run comes when they fill a segment of %s"
            .formatted(
                Units.blocks(plan.blocks()),
                due.getAsLong(),
                Units.bytes(plan.bytesNeeded()),
                Units.bytes(SEGMENT_BYTES)));
    if (plan.bytesNeeded() > 0) {
      long missing = Math.max(0, SEGMENT_BYTES - plan.bytesNeeded());
      long more = (long) Math.ceil((double) missing * plan.blocks() / plan.bytesNeeded());
      outcome.say("  that is after about %s more like these".formatted(Units.blocks(more)));
      outcome.put("blocksUntilFull", more);
    }
  }

  /** Where nothing is due, the height that is reached already is asked for. */
  private ArchiveRequest request(Maintenance ledger, Settings settings) {
    return target.policy
        ? ArchiveRequest.upTo(
                ledger
                    .archiver()
                    .due(settings.archivePolicy())
                    .orElseGet(() -> ledger.status().archivedHeight()))
            .ofWholeSegments()
        : ArchiveRequest.upTo(target.to);
  }
}
