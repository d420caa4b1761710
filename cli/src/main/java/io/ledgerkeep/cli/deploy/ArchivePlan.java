package io.ledgerkeep.cli.deploy;

import io.ledgerkeep.SyncSource;
import io.ledgerkeep.cli.deploy.Deployment.Member;
import io.ledgerkeep.cli.report.Finding;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * How far each node of a network may archive, all of them at once, so that each node that is behind
 * still has a peer that can serve it, by {@link SyncSource#canServe}.
 *
 * @param limits by the name of the node; empty where the description has no heights
 * @param findings nodes that no peer can serve
 */
public record ArchivePlan(Map<String, Limit> limits, List<Finding> findings) {

  /** Copies the collections; keeps the order of the limits. */
  public ArchivePlan {
    limits = Collections.unmodifiableMap(new LinkedHashMap<>(limits));
    findings = List.copyOf(findings);
  }

  /**
   * How far one node may archive.
   *
   * @param archivedHeight how far it has archived
   * @param highest how far it may, config blocks aside
   * @param keepsFor the nodes behind that rely on it
   */
  public record Limit(long archivedHeight, long highest, List<String> keepsFor) {

    /** Copies the names. */
    public Limit {
      keepsFor = List.copyOf(keepsFor);
    }
  }

  /** Works the limits out. A node without a height is taken to have all blocks there are. */
  public static ArchivePlan of(Deployment network) {
    boolean told = network.nodes().stream().anyMatch(node -> node.height().isPresent());
    return told ? new Planner(network).plan() : new ArchivePlan(Map.of(), List.of());
  }

  /** Those that are furthest behind choose first: who serves them serves the others too. */
  private static final class Planner {

    private final List<Member> members;
    private final long newest;
    private final Map<String, SyncSource> peers = new LinkedHashMap<>();
    private final Map<String, Long> highest = new LinkedHashMap<>();
    private final Map<String, List<String>> keepsFor = new LinkedHashMap<>();
    private final List<Finding> findings = new ArrayList<>();

    Planner(Deployment network) {
      members = network.nodes();
      newest =
          members.stream()
              .flatMapToLong(node -> LongStream.of(node.height().orElse(0), node.archivedHeight()))
              .max()
              .orElse(0);
      for (Member node : members) {
        long height = node.height().orElse(newest);
        peers.put(node.name(), new SyncSource(node.name(), height, node.archivedHeight()));
        highest.put(node.name(), Math.max(node.archivedHeight(), height - node.retainedBlocks()));
        keepsFor.put(node.name(), new ArrayList<>());
      }
    }

    ArchivePlan plan() {
      peers.values().stream()
          .filter(node -> node.height() < newest)
          .sorted(Comparator.comparingLong(SyncSource::height))
          .forEach(this::findKeeper);
      Map<String, Limit> limits = new LinkedHashMap<>();
      peers.forEach(
          (name, node) ->
              limits.put(
                  name,
                  new Limit(
                      node.archivedHeight(),
                      highest.getOrDefault(name, 0L),
                      keepsFor.getOrDefault(name, List.of()))));
      return new ArchivePlan(limits, findings);
    }

    private void findKeeper(SyncSource behind) {
      List<SyncSource> eligible = SyncSource.eligible(behind.height(), peers.values());
      eligible.stream()
          .min(
              Comparator.comparing((SyncSource peer) -> keepsFor(peer).isEmpty())
                  .thenComparing(peer -> -peer.height())
                  .thenComparing(SyncSource::archivedHeight))
          .ifPresentOrElse(keeper -> keep(keeper, behind), () -> tellNone(behind));
    }

    private List<String> keepsFor(SyncSource peer) {
      return keepsFor.computeIfAbsent(peer.peer(), name -> new ArrayList<>());
    }

    private void keep(SyncSource keeper, SyncSource behind) {
      keepsFor(keeper).add(behind.peer());
      highest.merge(keeper.peer(), Math.max(0, behind.height() - 1), Math::min);
    }

    private void tellNone(SyncSource behind) {
      findings.add(
          Finding.wrong(
              "node " + behind.peer(),
              "is at height %s, and every peer that has more archived what it lacks: restore a peer"
                      .formatted(behind.height())
                  + " down to %s, or make the node anew (ledgerkeep sync --from-archive)"
                      .formatted(behind.height() + 1)));
    }
  }
}
