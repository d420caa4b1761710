package io.ledgerkeep.cli;

import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
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

/**
 * Reads the sections {@code storage:} and {@code node.pkcs11:} of a node's YAML file. Everything
 * else is the node's own and passed over; within the sections a key that is not known is refused,
 * since a setting that is silently ignored is one that the operator relies on and does not have.
 */
final class ConfigFile {

  static final String ALLOW_SAMPLE_KEY = "allow_sample_key";
  static final String ARCHIVE_PATH = "archive_path";
  static final String CHAIN_ID = "chain_id";
  static final String EMPTY_KEY_FILE = "empty_key_file";
  static final String ENCRYPT_KEY = "encrypt_key";
  static final String ENCRYPTOR = "encryptor";
  static final String PROVIDER = "provider";
  static final String READ_THROUGH = "read_through";
  static final String REBUILD_HEIGHT = "rebuild_block_height";
  static final String RESERVE_BYTES = "reserve_bytes";
  static final String STORE_PATH = "store_path";
  static final String UNARCHIVED = "unarchive_block_height";

  /** Sections of their own: names and values go to the engine of that name as they are. */
  private static final String BADGERDB = "badgerdb";

  private static final String LEVELDB = "leveldb";
  private static final List<String> ENGINES = List.of(BADGERDB, LEVELDB);

  /** Sections that choose the engine of one database. */
  private static final Map<String, Database> DATABASES =
      Map.of(
          "blockdb_config", Database.BLOCK,
          "statedb_config", Database.STATE,
          "historydb_config", Database.HISTORY);

  private static final List<String> KEYS =
      List.of(
          ALLOW_SAMPLE_KEY,
          ARCHIVE_PATH,
          BADGERDB,
          "blockdb_config",
          CHAIN_ID,
          EMPTY_KEY_FILE,
          ENCRYPT_KEY,
          ENCRYPTOR,
          "historydb_config",
          LEVELDB,
          PROVIDER,
          READ_THROUGH,
          REBUILD_HEIGHT,
          RESERVE_BYTES,
          "statedb_config",
          STORE_PATH,
          UNARCHIVED);

  /** Secrets, which may begin or end with a blank. */
  private static final List<String> EXACT = List.of(ENCRYPT_KEY, "password");

  private static final String ENABLED = "enabled";

  /** Of {@code node.pkcs11}; the provider of that name says what each means. */
  private static final List<String> PKCS11_KEYS =
      List.of(
          ENABLED,
          "archive",
          "hash",
          "label",
          "library",
          "mac_key",
          "mode",
          "password",
          "password_env",
          "password_file",
          "profile",
          "route",
          "serial",
          "session_cache_size",
          "type");

  /** A node's file has a few thousand; what has more was named by mistake. */
  private static final int MAX_BYTES = 16 << 20;

  private final Path file;
  private final Map<String, String> storage = new TreeMap<>();
  private final Map<String, Map<String, String>> engines = new TreeMap<>();
  private final Map<Database, String> databases = new TreeMap<>();
  private final Map<String, String> pkcs11 = new TreeMap<>();

  private ConfigFile(Path file) {
    this.file = file;
  }

  /**
   * Reads the file.
   *
   * @throws ConfigurationException if it cannot be read, is not YAML, or has keys that are refused
   */
  static ConfigFile read(Path file) {
    ConfigFile config = new ConfigFile(file);
    Optional<Node> root = config.root();
    root.flatMap(found -> config.entry(found, "storage")).ifPresent(config::readStorage);
    root.flatMap(found -> config.entry(found, "node"))
        .filter(MappingNode.class::isInstance)
        .flatMap(node -> config.entry(node, "pkcs11"))
        .ifPresent(config::readPkcs11);
    return config;
  }

  static ConfigFile none() {
    return new ConfigFile(Path.of(""));
  }

  Options storage() {
    return Options.of(storage);
  }

  /** Returns what the section of an engine says. */
  Options engine(String name) {
    return Options.of(engines.getOrDefault(name, Map.of()));
  }

  /** Returns the engines of databases that have one of their own. */
  Map<Database, String> databases() {
    return Map.copyOf(databases);
  }

  /**
   * Returns what the section {@code node.pkcs11} says but that it is enabled, or empty where it is
   * not: then nobody relies on it.
   */
  Optional<Options> pkcs11() {
    if (!Options.of(pkcs11).flag(ENABLED, false)) {
      return Optional.empty();
    }
    Map<String, String> settings = new TreeMap<>(pkcs11);
    settings.remove(ENABLED);
    return Optional.of(Options.of(settings));
  }

  /** Whether the section says something of a token, but not whether it is enabled. */
  boolean leavesTokenOpen() {
    return !pkcs11.isEmpty() && !pkcs11.containsKey(ENABLED);
  }

  private Optional<Node> root() {
    try (InputStream in = Files.newInputStream(file)) {
      if (Files.size(file) > MAX_BYTES) {
        throw wrong("it has more than " + MAX_BYTES + " bytes, so it is no configuration file");
      }
      return onlyDocument(in);
    } catch (IOException e) {
      throw unreadable(e);
    } catch (MarkedYamlEngineException e) {
      // Its message would quote the line, and that may hold a key.
      throw refused(e.getProblemMark(), e.getProblem());
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

  private void readStorage(Node section) {
    for (NodeTuple entry : mapping(section).getValue()) {
      String key = scalar(entry.getKeyNode());
      Node value = entry.getValueNode();
      if (ENGINES.contains(key)) {
        readEngine(key, value);
      } else if (DATABASES.containsKey(key)) {
        readDatabase(key, value);
      } else if (KEYS.contains(key)) {
        put(storage, key, value);
      } else {
        throw unknown(key, entry.getKeyNode(), KEYS, "storage");
      }
    }
  }

  private void readEngine(String name, Node section) {
    if (engines.containsKey(name)) {
      throw refused(section.getStartMark(), "'" + name + "' is given twice");
    }
    Map<String, String> options = new TreeMap<>();
    if (!isNull(section)) {
      for (NodeTuple entry : mapping(section).getValue()) {
        put(options, scalar(entry.getKeyNode()), entry.getValueNode());
      }
    }
    engines.put(name, options);
  }

  private void readDatabase(String name, Node section) {
    if (isNull(section)) {
      return;
    }
    Map<String, String> settings = new TreeMap<>();
    for (NodeTuple entry : mapping(section).getValue()) {
      String key = scalar(entry.getKeyNode());
      if (!key.equals(PROVIDER)) {
        throw unknown(key, entry.getKeyNode(), List.of(PROVIDER), name);
      }
      put(settings, key, entry.getValueNode());
    }
    Database database = Objects.requireNonNull(DATABASES.get(name));
    if (databases.containsKey(database)) {
      throw refused(section.getStartMark(), "'" + name + "' is given twice");
    }
    if (settings.containsKey(PROVIDER)) {
      databases.put(database, Objects.requireNonNull(settings.get(PROVIDER)));
    }
  }

  /** Whoever relies on a device must not get a key of software instead. */
  private void readPkcs11(Node section) {
    for (NodeTuple entry : mapping(section).getValue()) {
      String key = scalar(entry.getKeyNode());
      if (!PKCS11_KEYS.contains(key)) {
        throw unknown(key, entry.getKeyNode(), PKCS11_KEYS, "node.pkcs11");
      }
      put(pkcs11, key, entry.getValueNode());
    }
    try {
      pkcs11();
    } catch (ConfigurationException e) {
      throw refused(section.getStartMark(), "node.pkcs11: " + e.getMessage());
    }
  }

  /** A key without a value is as good as none. */
  private void put(Map<String, String> target, String key, Node value) {
    String text = EXACT.contains(key) ? exactScalar(value) : scalar(value);
    if (target.containsKey(key)) {
      throw refused(value.getStartMark(), "'" + key + "' is given twice");
    }
    if (!text.isEmpty()) {
      target.put(key, text);
    }
  }

  private Optional<Node> entry(Node root, String key) {
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
      throw refused(found.get(1).getStartMark(), "'" + key + "' is given twice");
    }
    return found.stream().filter(node -> !isNull(node)).findFirst();
  }

  private MappingNode mapping(Node node) {
    if (node instanceof MappingNode mapping) {
      return mapping;
    }
    throw refused(node.getStartMark(), "expected keys with values");
  }

  private String scalar(Node node) {
    return exactScalar(node).strip();
  }

  private String exactScalar(Node node) {
    if (node instanceof ScalarNode scalar) {
      return isNull(node) ? "" : scalar.getValue();
    }
    throw refused(node.getStartMark(), "expected a single value");
  }

  private static boolean isNull(Node node) {
    return node.getTag().equals(Tag.NULL);
  }

  private ConfigurationException unknown(
      String key, Node node, List<String> allowed, String section) {
    String nearest =
        allowed.stream().min(Comparator.comparingInt(known -> distance(key, known))).orElseThrow();
    return refused(
        node.getStartMark(),
        "unknown key '%s' under %s; the nearest known one is '%s'"
            .formatted(key, section, nearest));
  }

  private ConfigurationException unreadable(IOException e) {
    return e instanceof CharacterCodingException
        ? wrong("it is not text in UTF-8")
        : new ConfigurationException("cannot read " + file + ": " + Failure.of(e).message());
  }

  private ConfigurationException wrong(String problem) {
    return new ConfigurationException(file + ": " + problem);
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
