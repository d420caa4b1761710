package io.ledgerkeep.cli;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "archive",
    description = {
      "Moves the bodies of old blocks to the archive, up to a height.",
      "The genesis block, config blocks and the newest blocks stay on the node."
    })
final class ArchiveCommand extends JobCommand {

  @Option(
      names = "--to",
      paramLabel = "H",
      required = true,
      description = "The archived height to reach; no config block.")
  private long to;

  @Override
  JobPlan plan(Ledger ledger) {
    return ledger.archiver().plan(request());
  }

  @Override
  JobReport job(Ledger ledger, JobControl control) {
    return ledger.archiver().archive(request().with(control));
  }

  private ArchiveRequest request() {
    return ArchiveRequest.upTo(requireNotNegative("--to", to));
  }
}
