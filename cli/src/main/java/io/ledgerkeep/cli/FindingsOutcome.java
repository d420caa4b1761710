package io.ledgerkeep.cli;

import io.ledgerkeep.cli.report.Finding;
import java.util.List;

/** How findings are told: a line each, and the exit code of the worst. */
final class FindingsOutcome {

  private FindingsOutcome() {}

  static Outcome of(List<Finding> findings) {
    Outcome outcome =
        Outcome.of(
            switch (Finding.worst(findings)) {
              case NOTE -> ExitCode.DONE;
              case WARNING -> ExitCode.FAILED;
              case WRONG -> ExitCode.INTEGRITY;
            });
    findings.forEach(finding -> outcome.say(finding.line()));
    return outcome
        .put("findings", findings.stream().map(Finding::json).toList())
        .put("exitCode", outcome.exitCode());
  }
}
