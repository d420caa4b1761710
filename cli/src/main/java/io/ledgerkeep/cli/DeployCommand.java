package io.ledgerkeep.cli;

import io.ledgerkeep.cli.deploy.ArchivePlan;
import io.ledgerkeep.cli.deploy.Deployment;
import io.ledgerkeep.cli.deploy.DeploymentRules;
import io.ledgerkeep.cli.report.Finding;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "deploy",
    description = "Looks after the plan of a network of nodes.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = DeployCommand.CheckCommand.class)
final class DeployCommand {

  @Command(
      name = "check",
      description = {
        "Tells whether the network that a YAML file describes keeps the rules of deployment, and how"
            + " far each node may archive so that some peer can still serve every other.",
        "The exit code is 4 if a rule is broken, else 0."
      })
  static final class CheckCommand extends LedgerCommand {

    @Parameters(paramLabel = "FILE", description = "The description of the network.")
    @SuppressWarnings("NullAway.Init") // set by picocli before the call
    private Path file;

    @Override
    Outcome run(Settings settings) {
      Deployment network = Deployment.read(file);
      ArchivePlan plan = ArchivePlan.of(network);
      List<Finding> findings = new ArrayList<>(DeploymentRules.check(network));
      findings.addAll(plan.findings());
      Outcome outcome = FindingsOutcome.of(findings);
      tell(outcome, plan);
      long faults = DeploymentRules.faults(network);
      return outcome
          .say(
              "%s, %s of them in the consensus, where %s may fail: %s"
                  .formatted(
                      Units.counted(network.nodes().size(), "node"),
                      DeploymentRules.consensusNodes(network),
                      faults,
                      outcome.exitCode() == ExitCode.DONE
                          ? "the rules are kept"
                          : "the rules are broken"))
          .put("nodes", (long) network.nodes().size())
          .put("consensusNodes", DeploymentRules.consensusNodes(network))
          .put("faults", faults);
    }

    private static void tell(Outcome outcome, ArchivePlan plan) {
      List<Map<String, Object>> shown = new ArrayList<>();
      plan.limits()
          .forEach(
              (name, limit) -> {
                Map<String, Object> fields = new LinkedHashMap<>();
                fields.put("node", name);
                fields.put("archivedHeight", limit.archivedHeight());
                fields.put("highestArchivable", limit.highest());
                fields.put("keepsFor", limit.keepsFor());
                shown.add(fields);
                outcome.say(
                    "node %s may archive up to %s, and has up to %s%s"
                        .formatted(
                            name,
                            limit.highest(),
                            limit.archivedHeight(),
                            limit.keepsFor().isEmpty()
                                ? ""
                                : "; it keeps blocks for " + String.join(", ", limit.keepsFor())));
              });
      if (shown.isEmpty()) {
        outcome.say("no heights are given, so how far nodes may archive was not worked out");
      }
      outcome.put("archiving", shown);
    }
  }
}
