package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
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
