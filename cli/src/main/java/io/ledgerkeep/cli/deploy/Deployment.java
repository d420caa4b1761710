package io.ledgerkeep.cli.deploy;

import io.ledgerkeep.cli.yaml.YamlFile;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * A network of nodes as its operators describe it.
 *
 * @param nodes in the order of the file
 * @param faults how many faulty consensus nodes it has to stand, if that is said
 * @param weights the weight that was agreed on for each organisation; empty if none was
 */
public record Deployment(List<Member> nodes, OptionalLong faults, Map<String, Long> weights) {

  /** How many of its newest blocks a node keeps where the file does not say. */
  static final long RETAINED_BLOCKS = 300_000;

  private static final long LEAST_RETAINED = 10;
  private static final long MOST_WEIGHT = 1_000_000_000;

  private static final String NODES = "nodes";
  private static final String FAULTS = "faults";
  private static final String WEIGHTS = "weights";
  private static final List<String> KEYS = List.of(FAULTS, NODES, WEIGHTS);

  private static final String NAME = "name";
  private static final String ORGANISATION = "organisation";
  private static final String PARTITION = "partition";
  private static final String ROLE = "role";
  private static final String WEIGHT = "weight";
  private static final String HEIGHT = "height";
  private static final String ARCHIVED_HEIGHT = "archived_height";
  private static final String RETAINED = "retained_blocks";
  private static final List<String> NODE_KEYS =
      List.of(ARCHIVED_HEIGHT, HEIGHT, NAME, ORGANISATION, PARTITION, RETAINED, ROLE, WEIGHT);

  private static final String CONSENSUS = "consensus";
  private static final String OBSERVER = "observer";

  /** Copies the collections. */
  public Deployment {
    nodes = List.copyOf(nodes);
    weights = Map.copyOf(weights);
  }

  /**
   * One node.
   *
   * @param name tells it from others
   * @param organisation whose it is
   * @param partition where it runs: a machine room, a region
   * @param consensus whether it takes part in the consensus, or only observes
   * @param weight its weight in the consensus, 0 for an observer
   * @param height its newest block, -1 for an empty one, if that is said
   * @param archivedHeight its pivot
   * @param retainedBlocks how many of its newest blocks it keeps
   */
  public record Member(
      String name,
      String organisation,
      String partition,
      boolean consensus,
      long weight,
      OptionalLong height,
      long archivedHeight,
      long retainedBlocks) {}

  /**
   * Reads a description.
   *
   * @throws ConfigurationException if it cannot be read, has unknown keys, or values that are none;
   *     the message names the line
   */
  public static Deployment read(Path file) {
    return new Reader(new YamlFile(file)).read(file);
  }

  /** Reads one file. */
  private static final class Reader {

    private final YamlFile yaml;
    private final Set<String> names = new HashSet<>();

    Reader(YamlFile yaml) {
      this.yaml = yaml;
    }

    Deployment read(Path file) {
      Map<String, Node> sections =
          yaml.root().map(root -> entries(root, KEYS, "the file")).orElse(Map.of());
      List<Member> members = new ArrayList<>();
      Node nodes = sections.get(NODES);
      if (nodes != null) {
        for (Node node : list(nodes)) {
          members.add(member(node));
        }
      }
      if (members.isEmpty()) {
        throw new ConfigurationException(
            file + ": no node is described; list them under '" + NODES + "'");
      }
      Node faults = sections.get(FAULTS);
      Node weights = sections.get(WEIGHTS);
      return new Deployment(
          members,
          faults == null
              ? OptionalLong.empty()
              : OptionalLong.of(number(FAULTS, faults, 1, MOST_WEIGHT)),
          weights == null ? Map.of() : agreed(weights, members));
    }

    private Map<String, Node> entries(Node node, List<String> allowed, String section) {
      Map<String, Node> entries = new LinkedHashMap<>();
      for (NodeTuple entry : yaml.mapping(node).getValue()) {
        String key = yaml.scalar(entry.getKeyNode());
        if (!allowed.contains(key)) {
          throw yaml.unknown(key, entry.getKeyNode(), allowed, section);
        }
        put(entries, key, entry);
      }
      return entries;
    }

    /** A key without a value is as good as none. */
    private void put(Map<String, Node> entries, String key, NodeTuple entry) {
      if (entries.containsKey(key)) {
        throw yaml.refused(entry.getKeyNode(), "'" + key + "' is given twice");
      }
      if (!YamlFile.isNull(entry.getValueNode())) {
        entries.put(key, entry.getValueNode());
      }
    }

    private List<Node> list(Node node) {
      if (node instanceof SequenceNode sequence) {
        return sequence.getValue();
      }
      throw yaml.refused(node, "expected a list, each entry after a '-'");
    }

    private Member member(Node node) {
      Map<String, Node> entries = entries(node, NODE_KEYS, NODES);
      String name = text(node, entries, NAME);
      if (!names.add(name)) {
        throw yaml.refused(node, "there are two nodes called '" + name + "'");
      }
      boolean consensus = isConsensus(entries);
      Node weight = entries.get(WEIGHT);
      if (weight != null && !consensus) {
        throw yaml.refused(weight, "an observer has no weight in the consensus");
      }
      Node height = entries.get(HEIGHT);
      OptionalLong newest =
          height == null
              ? OptionalLong.empty()
              : OptionalLong.of(number(HEIGHT, height, -1, Long.MAX_VALUE));
      long archived = number(ARCHIVED_HEIGHT, entries, 0, 0);
      if (newest.isPresent() && archived > Math.max(newest.getAsLong(), 0)) {
        throw yaml.refused(
            node, "a node at height " + newest.getAsLong() + " has archived no more");
      }
      long alone = consensus ? 1 : 0;
      return new Member(
          name,
          text(node, entries, ORGANISATION),
          text(node, entries, PARTITION),
          consensus,
          weight == null ? alone : number(WEIGHT, weight, 1, MOST_WEIGHT),
          newest,
          archived,
          number(RETAINED, entries, LEAST_RETAINED, RETAINED_BLOCKS));
    }

    private boolean isConsensus(Map<String, Node> entries) {
      Node role = entries.get(ROLE);
      if (role == null) {
        return true;
      }
      String text = yaml.scalar(role);
      if (!text.equals(CONSENSUS) && !text.equals(OBSERVER)) {
        throw yaml.refused(role, "expected " + CONSENSUS + " or " + OBSERVER + " as " + ROLE);
      }
      return text.equals(CONSENSUS);
    }

    private Map<String, Long> agreed(Node section, List<Member> members) {
      List<String> organisations =
          members.stream().map(Member::organisation).distinct().sorted().toList();
      Map<String, Long> weights = new LinkedHashMap<>();
      entries(section, organisations, WEIGHTS)
          .forEach((name, weight) -> weights.put(name, number(name, weight, 0, MOST_WEIGHT)));
      return weights;
    }

    private String text(Node node, Map<String, Node> entries, String key) {
      Node value = entries.get(key);
      String text = value == null ? "" : yaml.scalar(value);
      if (text.isEmpty()) {
        throw yaml.refused(node, "this node has no '" + key + "'");
      }
      return text;
    }

    private long number(String key, Map<String, Node> entries, long least, long otherwise) {
      Node value = entries.get(key);
      return value == null ? otherwise : number(key, value, least, Long.MAX_VALUE);
    }

    private long number(String key, Node node, long least, long most) {
      try {
        long number = Long.parseLong(yaml.scalar(node));
        if (number >= least && number <= most) {
          return number;
        }
      } catch (NumberFormatException e) {
        // told below
      }
      throw yaml.refused(
          node,
          "'%s' must be a whole number of %s or more%s"
              .formatted(key, least, most == Long.MAX_VALUE ? "" : ", up to " + most));
    }
  }
}
