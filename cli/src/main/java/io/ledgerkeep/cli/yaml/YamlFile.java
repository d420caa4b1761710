package io.ledgerkeep.cli.yaml;

import io.ledgerkeep.cli.report.FileTrouble;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.YamlUnicodeReader;
import org.snakeyaml.engine.v2.composer.Composer;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlVersionException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/** A file of one YAML document. What is refused is named with its line, and never quoted. */
public final class YamlFile {

  /** A node's file has a few thousand; what has more was named by mistake. */
  private static final int MAX_BYTES = 16 << 20;

  /** Problems that quote what may be a secret without the quotes that it needs. */
  private static final Pattern QUOTING =
      Pattern.compile(
          "((undefined alias|tag handle)\\b|hexadecimal numbers\\b|URI in UTF-8).*",
          Pattern.DOTALL);

  private final Path file;

  /** Names the file; it is read by {@link #root}. */
  public YamlFile(Path file) {
    this.file = file;
  }

  /**
   * Returns the document, or empty for a file that holds none.
   *
   * @throws ConfigurationException if it cannot be read, or is not one YAML document
   */
  public Optional<Node> root() {
    try (InputStream in = Files.newInputStream(file)) {
      if (Files.size(file) > MAX_BYTES) {
        throw wrong("it has more than " + MAX_BYTES + " bytes, so it is no configuration file");
      }
      return onlyDocument(in);
    } catch (IOException e) {
      throw unreadable(e);
    } catch (MarkedYamlEngineException e) {
      // Its message would quote the line, and that may hold a key.
      throw refused(e.getProblemMark(), QUOTING.matcher(e.getProblem()).replaceFirst("$1"));
    } catch (ReaderException e) {
      throw wrong("the character at position " + e.getPosition() + " is not allowed in YAML");
    } catch (YamlVersionException e) {
      throw wrong("it is in YAML " + e.getSpecVersion().getMajor() + "; only 1 is understood");
    } catch (YamlEngineException e) {
      if (e.getCause() instanceof IOException trouble) {
        throw unreadable(trouble);
      }
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  private Optional<Node> onlyDocument(InputStream in) {
    LoadSettings settings = settings();
    StreamReader reader = new StreamReader(settings, new YamlUnicodeReader(in));
    Composer composer = new Composer(settings, new ShallowParser(settings, reader));
    if (!composer.hasNext()) {
      return Optional.empty();
    }
    Node document = composer.next();
    if (composer.hasNext()) {
      throw refused(
          composer.next().getStartMark(),
          "another YAML document begins; a configuration file must hold one only");
    }
    return Optional.of(document);
  }

  /** What other sections may hold: it is not unfolded, so no number of aliases does harm. */
  private LoadSettings settings() {
    return LoadSettings.builder()
        .setLabel(file.toString())
        .setAllowNonScalarKeys(true)
        .setMaxAliasesForCollections(Integer.MAX_VALUE)
        .setCodePointLimit(MAX_BYTES)
        .build();
  }

  /** Returns what a mapping has under the key, unless that is nothing. */
  public Optional<Node> entry(Node root, String key) {
    if (isNull(root)) {
      return Optional.empty();
    }
    List<Node> found =
        mapping(root).getValue().stream()
            .filter(entry -> entry.getKeyNode() instanceof ScalarNode)
            .filter(entry -> scalar(entry.getKeyNode()).equals(key))
            .map(NodeTuple::getValueNode)
            .toList();
    if (found.size() > 1) {
      throw refused(found.get(1), "'" + key + "' is given twice");
    }
    return found.stream().filter(node -> !isNull(node)).findFirst();
  }

  /** Returns the node, which must have keys with values. */
  public MappingNode mapping(Node node) {
    if (node instanceof MappingNode mapping) {
      return mapping;
    }
    throw refused(node, "expected keys with values");
  }

  /** Returns the text of a single value without blanks around it; of none the empty one. */
  public String scalar(Node node) {
    return exactScalar(node).strip();
  }

  /** Returns the text of a single value as it is; of none the empty one. */
  public String exactScalar(Node node) {
    if (node instanceof ScalarNode scalar) {
      return isNull(node) ? "" : scalar.getValue();
    }
    throw refused(node, "expected a single value");
  }

  /** Returns whether there is a key and no value. */
  public static boolean isNull(Node node) {
    return node.getTag().equals(Tag.NULL);
  }

  /** Returns the refusal of a key, with the nearest of those allowed. */
  public ConfigurationException unknown(
      String key, Node node, List<String> allowed, String section) {
    int colon = key.indexOf(':');
    if (colon >= 0) { // what follows may be a secret
      return refused(
          node,
          "'%s:' under %s needs a blank after it".formatted(key.substring(0, colon), section));
    }
    String nearest =
        allowed.stream().min(Comparator.comparingInt(known -> distance(key, known))).orElseThrow();
    return refused(
        node,
        "unknown key '%s' under %s; the nearest known one is '%s'"
            .formatted(key, section, nearest));
  }

  private ConfigurationException unreadable(IOException e) {
    return e instanceof CharacterCodingException
        ? wrong("it is not text in UTF-8")
        : new ConfigurationException("cannot read " + file + ": " + FileTrouble.of(e));
  }

  private ConfigurationException wrong(String problem) {
    return new ConfigurationException(file + ": " + problem);
  }

  /** Returns the refusal of what lies at the node. */
  public ConfigurationException refused(Node node, String problem) {
    return refused(node.getStartMark(), problem);
  }

  private ConfigurationException refused(Optional<Mark> mark, String problem) {
    String line = mark.map(m -> ", line " + (m.getLine() + 1)).orElse("");
    return new ConfigurationException(file + line + ": " + problem);
  }

  /** Returns how many letters have to be added, removed or replaced to come from one to other. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j <= other.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
