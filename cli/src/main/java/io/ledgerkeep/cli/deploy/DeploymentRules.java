package io.ledgerkeep.cli.deploy;

import io.ledgerkeep.cli.deploy.Deployment.Member;
import io.ledgerkeep.cli.report.Finding;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/**
 * The rules of deployment: of N consensus nodes F = (N - 1) / 3 may fail, or of a weight W in all a
 * weight of (W - 1) / 3.
 */
public final class DeploymentRules {

  private static final String CONSENSUS = "consensus";
  private static final int LEAST_CONSENSUS_NODES = 4;
  private static final int LEAST_OF_ORGANISATION = 2;

  private final Deployment deployment;
  private final List<Member> consensus;
  private final List<Finding> findings = new ArrayList<>();

  private DeploymentRules(Deployment deployment) {
    this.deployment = deployment;
    this.consensus = deployment.nodes().stream().filter(Member::consensus).toList();
  }

  /** Returns what a network is against the rules in, and what would be better. */
  public static List<Finding> check(Deployment deployment) {
    DeploymentRules rules = new DeploymentRules(deployment);
    rules.checkNumber();
    rules.checkPartitions();
    rules.checkOrganisations();
    rules.checkWeights();
    rules.checkNames("partition", Member::partition);
    rules.checkNames("organisation", Member::organisation);
    return List.copyOf(rules.findings);
  }

  /** Returns how many nodes, or what weight, of that many may fail. */
  static long faults(long of) {
    return Math.max(0, of - 1) / 3;
  }

  /** Returns how many consensus nodes the network has. */
  public static long consensusNodes(Deployment deployment) {
    return deployment.nodes().stream().filter(Member::consensus).count();
  }

  /** Returns how many of its consensus nodes may fail. */
  public static long faults(Deployment deployment) {
    return faults(consensusNodes(deployment));
  }

  private void checkNumber() {
    int nodes = consensus.size();
    if (nodes < LEAST_CONSENSUS_NODES) {
      wrong(
          CONSENSUS,
          "%s, where none may fail: there must be %s at least"
              .formatted(counted(nodes, "consensus node"), LEAST_CONSENSUS_NODES));
    }
    long wanted = deployment.faults().orElse(0);
    if (wanted > 0 && nodes < 3 * wanted + 1) {
      wrong(
          CONSENSUS,
          "to stand %s takes %s consensus nodes (3F + 1), and there are %s"
              .formatted(counted(wanted, "fault"), 3 * wanted + 1, nodes));
    } else if (nodes > LEAST_CONSENSUS_NODES && nodes != 3 * faults(nodes) + 1) {
      findings.add(
          Finding.note(
              CONSENSUS,
              "%s consensus nodes stand as many faults as %s do, which is %s; observers need less"
                  .formatted(nodes, 3 * faults(nodes) + 1, faults(nodes))));
    }
  }

  private void checkPartitions() {
    long faults = faults(consensus.size());
    long weight = consensus.stream().mapToLong(Member::weight).sum();
    Map<String, Long> nodes = sums(consensus, Member::partition, member -> 1);
    Map<String, Long> weights = sums(consensus, Member::partition, Member::weight);
    nodes.forEach(
        (partition, count) -> {
          if (count > faults) {
            wrong(
                "partition " + partition,
                "has %s, and only %s may fail at once"
                    .formatted(counted(count, "consensus node"), faults));
          } else if (weights.getOrDefault(partition, 0L) > faults(weight)) {
            wrong(
                "partition " + partition,
                "has weight %s of %s, and only %s may fail at once"
                    .formatted(weights.get(partition), weight, faults(weight)));
          }
        });
  }

  private void checkOrganisations() {
    Map<String, Long> nodes = sums(deployment.nodes(), Member::organisation, member -> 1);
    Map<String, Long> observers =
        sums(deployment.nodes(), Member::organisation, member -> member.consensus() ? 0 : 1);
    nodes.forEach(
        (organisation, count) -> {
          String subject = "organisation " + organisation;
          if (count < LEAST_OF_ORGANISATION) {
            wrong(subject, "has one node, which is a single point of failure: give it another");
          } else if (observers.getOrDefault(organisation, 0L) == 0) {
            findings.add(
                Finding.note(
                    subject, "has no observer: one saves resources and answers queries as well"));
          }
        });
  }

  private void checkWeights() {
    if (deployment.weights().isEmpty()) {
      findings.add(Finding.note("weights", "none were agreed on, so they were not compared"));
      return;
    }
    sums(deployment.nodes(), Member::organisation, Member::weight)
        .forEach(
            (organisation, weight) -> {
              Long agreed = deployment.weights().get(organisation);
              String subject = "organisation " + organisation;
              if (agreed == null) {
                wrong(subject, "has weight " + weight + ", and none was agreed on");
              } else if (!agreed.equals(weight)) {
                wrong(subject, "has weight " + weight + ", and " + agreed + " was agreed on");
              }
            });
  }

  /** Two spellings would count as two partitions. */
  private void checkNames(String what, Function<Member, String> of) {
    Map<String, String> seen = new TreeMap<>();
    for (String name : new TreeSet<>(deployment.nodes().stream().map(of).toList())) {
      String folded = Normalizer.normalize(name, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
      String other = seen.putIfAbsent(folded, name);
      if (other != null) {
        findings.add(
            Finding.note(
                what + " " + name,
                "is called almost as %s: if they are one, write them alike".formatted(other)));
      }
    }
  }

  private void wrong(String subject, String what) {
    findings.add(Finding.wrong(subject, what));
  }

  private static Map<String, Long> sums(
      List<Member> members, Function<Member, String> of, ToLongFunction<Member> value) {
    return members.stream()
        .collect(Collectors.groupingBy(of, TreeMap::new, Collectors.summingLong(value)));
  }

  private static String counted(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
