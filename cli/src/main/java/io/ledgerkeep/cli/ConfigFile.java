package io.ledgerkeep.cli;

import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.cli.yaml.YamlFile;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.logback.LogLevel;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * Reads the sections {@code storage:}, {@code log:} and {@code node.pkcs11:} of a node's YAML file.
 * Everything else is the node's own and passed over; within the sections a key that is not known is
 * refused, since a setting that is silently ignored is one that the operator relies on and does not
 * have.
 */
final class ConfigFile {

  static final String ALLOW_SAMPLE_KEY = "allow_sample_key";
  static final String ARCHIVE_FREE_BYTES = "archive_free_bytes";
  static final String ARCHIVE_KEEP_BLOCKS = "archive_keep_blocks";
  static final String ARCHIVE_KEEP_BYTES = "archive_keep_bytes";
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
  static final String BADGERDB = "badgerdb";

  static final String LEVELDB = "leveldb";
  private static final List<String> ENGINES = List.of(BADGERDB, LEVELDB);

  static final String BLOCKDB = "blockdb_config";
  static final String STATEDB = "statedb_config";
  static final String HISTORYDB = "historydb_config";
  static final String ENABLED = "enabled";

  /** Sections that choose the engine of one database. */
  private static final Map<String, Database> DATABASES =
      Map.of(
          BLOCKDB, Database.BLOCK,
          STATEDB, Database.STATE,
          HISTORYDB, Database.HISTORY);

  private static final List<String> KEYS = ConfigKeys.names(ConfigKeys.STORAGE);
  private static final List<String> DATABASE_KEYS = ConfigKeys.names(ConfigKeys.DATABASE);
  private static final List<String> PKCS11_KEYS = ConfigKeys.names(ConfigKeys.TOKEN);
  private static final List<String> LOG_KEYS = ConfigKeys.names(ConfigKeys.LOG);

  /** Secrets, which may begin or end with a blank. */
  private static final List<String> EXACT =
      Stream.of(ConfigKeys.STORAGE, ConfigKeys.TOKEN)
          .flatMap(List::stream)
          .filter(key -> key.kind() == ConfigKeys.Kind.SECRET)
          .map(ConfigKeys.Known::name)
          .toList();

  private final YamlFile yaml;
  private final Map<String, String> storage = new TreeMap<>();
  private final Map<String, Map<String, String>> engines = new TreeMap<>();
  private final Map<Database, String> databases = new TreeMap<>();
  private final Map<String, String> pkcs11 = new TreeMap<>();
  private final Map<String, String> log = new TreeMap<>();

  /** Where the sections of engines lie, and where engines are named. */
  private final Map<String, Node> sections = new TreeMap<>();

  private final Map<String, Node> named = new TreeMap<>();

  /** What is wrong with single keys: thrown at once, or noted by who wants to know all. */
  private final Consumer<ConfigurationException> findings;

  private ConfigFile(Path file, Consumer<ConfigurationException> findings) {
    this.yaml = new YamlFile(file);
    this.findings = findings;
  }

  /**
   * Reads the file.
   *
   * @throws ConfigurationException if it cannot be read, is not YAML, or has keys that are refused
   */
  static ConfigFile read(Path file) {
    return read(
        file,
        wrong -> {
          throw wrong;
        });
  }

  /**
   * Reads the file, and goes on after a key that is refused.
   *
   * @throws ConfigurationException if it cannot be read or is not YAML
   */
  static ConfigFile read(Path file, Consumer<ConfigurationException> findings) {
    ConfigFile config = new ConfigFile(file, findings);
    Optional<Node> root = config.yaml.root();
    root.flatMap(found -> config.yaml.entry(found, "storage")).ifPresent(config::readStorage);
    root.flatMap(found -> config.yaml.entry(found, "log")).ifPresent(config::readLog);
    root.flatMap(found -> config.yaml.entry(found, "node"))
        .filter(MappingNode.class::isInstance)
        .flatMap(node -> config.yaml.entry(node, "pkcs11"))
        .ifPresent(config::readPkcs11);
    return config;
  }

  static ConfigFile none() {
    return new ConfigFile(Path.of(""), wrong -> {});
  }

  Options storage() {
    return Options.of(storage);
  }

  /** Returns what the section {@code log} says. */
  Options log() {
    return Options.of(log);
  }

  /** Returns what {@code node.pkcs11} says, enabled or not. */
  Options token() {
    return Options.of(pkcs11);
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

  private void readStorage(Node section) {
    forEach(
        section,
        (key, entry) -> {
          Node value = entry.getValueNode();
          if (ENGINES.contains(key)) {
            readEngine(key, value);
          } else if (DATABASES.containsKey(key)) {
            readDatabase(key, value);
          } else if (KEYS.contains(key)) {
            put(storage, key, value);
            requireKind(key, value, ConfigKeys.STORAGE, storage, "storage");
            if (key.equals(PROVIDER)) {
              named.put(yaml.scalar(value), value);
            }
          } else {
            refuse(entry, KEYS, ConfigKeys.REFUSED, "storage");
          }
        });
  }

  /** One that is refused keeps none of the others from being read. */
  private void forEach(Node section, BiConsumer<String, NodeTuple> reader) {
    for (NodeTuple entry : yaml.mapping(section).getValue()) {
      try {
        reader.accept(yaml.scalar(entry.getKeyNode()), entry);
      } catch (ConfigurationException e) {
        findings.accept(e);
      }
    }
  }

  /** Has the engines check their sections; nothing is opened. What they refuse is a finding. */
  void checkEngines(Collection<StorageEngineProvider> engines) {
    for (Map.Entry<String, Node> engine : named.entrySet()) {
      List<String> known = engines.stream().map(StorageEngineProvider::name).sorted().toList();
      if (!engine.getKey().isEmpty() && !known.contains(engine.getKey())) {
        findings.accept(
            yaml.refused(
                engine.getValue(),
                "there is no engine '%s'; there are %s"
                    .formatted(engine.getKey(), String.join(", ", known))));
      }
    }
    for (StorageEngineProvider engine : engines) {
      Node section = sections.get(engine.name());
      if (section != null) {
        try {
          engine.check(engine(engine.name()));
        } catch (ConfigurationException | InvalidPathException e) {
          findings.accept(yaml.refused(section, engine.name() + ": " + e.getMessage()));
        }
      }
    }
  }

  private void readLog(Node section) {
    forEach(
        section,
        (key, entry) -> {
          if (LOG_KEYS.contains(key)) {
            put(log, key, entry.getValueNode());
            requireKind(key, entry.getValueNode(), ConfigKeys.LOG, log, "log");
          } else {
            refuse(entry, LOG_KEYS, ConfigKeys.REFUSED_OF_LOG, "log");
          }
        });
  }

  /** A key that nothing reads, unless it asks for what holds anyway. */
  private void refuse(
      NodeTuple entry, List<String> known, List<ConfigKeys.Refused> refused, String section) {
    Node at = entry.getKeyNode();
    String key = yaml.scalar(at);
    Optional<ConfigKeys.Refused> why = ConfigKeys.refused(refused, key);
    if (why.isEmpty()) {
      findings.accept(yaml.unknown(key, at, known, section));
    } else if (!asksForNothing(entry.getValueNode(), why.get().harmless())) {
      findings.accept(
          yaml.refused(at, "'%s' of %s is refused: %s".formatted(key, section, why.get().text())));
    }
  }

  private boolean asksForNothing(Node value, List<String> harmless) {
    return value instanceof ScalarNode
        && (YamlFile.isNull(value)
            || harmless.stream().anyMatch(yaml.scalar(value)::equalsIgnoreCase));
  }

  /** What is no number, or neither true nor false, is told with its line. */
  private void requireKind(
      String key,
      Node value,
      List<ConfigKeys.Known> keys,
      Map<String, String> set,
      String section) {
    try {
      switch (ConfigKeys.known(keys, key).kind()) {
        case NUMBER -> Options.of(set).number(key, 0, 0, Long.MAX_VALUE);
        case FLAG -> Options.of(set).flag(key, false);
        case LEVEL -> Options.of(set).text(key).ifPresent(LogLevel::of);
        default -> {}
      }
    } catch (ConfigurationException e) {
      set.remove(key);
      findings.accept(yaml.refused(value, section + ": " + e.getMessage()));
    }
  }

  private void readEngine(String name, Node section) {
    if (engines.containsKey(name)) {
      throw yaml.refused(section, "'" + name + "' is given twice");
    }
    Map<String, String> options = new TreeMap<>();
    if (!YamlFile.isNull(section)) {
      forEach(section, (key, entry) -> put(options, key, entry.getValueNode()));
    }
    engines.put(name, options);
    sections.put(name, section);
  }

  private void readDatabase(String name, Node section) {
    if (YamlFile.isNull(section)) {
      return;
    }
    Map<String, String> settings = new TreeMap<>();
    forEach(
        section,
        (key, entry) -> {
          if (DATABASE_KEYS.contains(key)) {
            put(settings, key, entry.getValueNode());
            named.put(yaml.scalar(entry.getValueNode()), entry.getValueNode());
          } else {
            refuse(entry, DATABASE_KEYS, ConfigKeys.REFUSED_OF_DATABASE, name);
          }
        });
    Database database = Objects.requireNonNull(DATABASES.get(name));
    if (databases.containsKey(database)) {
      throw yaml.refused(section, "'" + name + "' is given twice");
    }
    if (settings.containsKey(PROVIDER)) {
      databases.put(database, Objects.requireNonNull(settings.get(PROVIDER)));
    }
  }

  /** Whoever relies on a device must not get a key of software instead. */
  private void readPkcs11(Node section) {
    forEach(
        section,
        (key, entry) -> {
          if (PKCS11_KEYS.contains(key)) {
            put(pkcs11, key, entry.getValueNode());
            requireKind(key, entry.getValueNode(), ConfigKeys.TOKEN, pkcs11, "node.pkcs11");
          } else {
            findings.accept(yaml.unknown(key, entry.getKeyNode(), PKCS11_KEYS, "node.pkcs11"));
          }
        });
    try {
      pkcs11();
    } catch (ConfigurationException e) {
      throw yaml.refused(section, "node.pkcs11: " + e.getMessage());
    }
  }

  /** A key without a value is as good as none. */
  private void put(Map<String, String> target, String key, Node value) {
    String text = EXACT.contains(key) ? yaml.exactScalar(value) : yaml.scalar(value);
    if (target.containsKey(key)) {
      throw yaml.refused(value, "'" + key + "' is given twice");
    }
    if (!text.isEmpty()) {
      target.put(key, text);
    }
  }
}
