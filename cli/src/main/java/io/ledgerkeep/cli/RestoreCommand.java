package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep.Maintenance;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "restore",
    description = {
      "Brings archived bodies back to the node, from the archived height down to a height.",
      "The archive keeps its copy."
    })
final class RestoreCommand extends JobCommand {

  @Option(
      names = "--down-to",
      paramLabel = "H",
      required = true,
      description = "The lowest height to bring back.")
  private long downTo;

  @Override
  JobPlan plan(Maintenance ledger, Settings settings) {
    return ledger.restorer().plan(request());
  }

  @Override
  JobReport job(Maintenance ledger, Settings settings, JobControl control) {
    return ledger.restorer().restore(request().with(control));
  }

  private RestoreRequest request() {
    return RestoreRequest.downTo(requireNotNegative("--down-to", downTo));
  }
}
