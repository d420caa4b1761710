package io.ledgerkeep.cli;

import com.google.common.base.Splitter;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.ArchiveStoreProvider;
import io.ledgerkeep.archive.Archiver;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a command works on: its options, and what the configuration file says where they do not. */
final class Settings {

  private static final String DIRECTORY = "directory";
  private static final String BADGERDB = "badgerdb";
  private static final String LEVELDB = "leveldb";
  private final Optional<Path> data;
  private final Optional<Path> archive;
  private final Optional<String> ledger;
  private final Options storage;
  private final ConfigFile config;
  private final Optional<MasterKey> masterKey;

  /** What was given on the command line, by the name of the option. */
  private final Map<String, Path> given = new LinkedHashMap<>();

  private Settings(
      Optional<Path> data,
      Optional<Path> archive,
      Optional<String> ledger,
      Options storage,
      ConfigFile config,
      Optional<MasterKey> masterKey) {
    this.data = data;
    this.archive = archive;
    this.ledger = ledger;
    this.storage = storage;
    this.config = config;
    this.masterKey = masterKey;
  }

  static Settings of(GlobalOptions options) {
    ConfigFile config =
        options.config == null ? ConfigFile.none() : ConfigFile.read(options.config);
    Options storage = config.storage();
    Settings settings =
        new Settings(
            Optional.ofNullable(options.data).or(() -> path(storage, ConfigFile.STORE_PATH)),
            Optional.ofNullable(options.archive).or(() -> path(storage, ConfigFile.ARCHIVE_PATH)),
            Optional.ofNullable(options.ledger),
            storage,
            config,
            MasterKey.of(config));
    settings.note("--config", options.config);
    settings.note("--data", options.data);
    settings.note("--archive", options.archive);
    if (settings.ledger.isPresent() && settings.data.isPresent()) {
      throw CommandException.usage(
          "--ledger chooses within an archive on its own; the ledger of --data has but one");
    }
    return settings;
  }

  /** Returns the settings of a command that works on no ledger. */
  static Settings none() {
    return new Settings(
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Options.none(),
        ConfigFile.none(),
        Optional.empty());
  }

  private void note(String option, @Nullable Path path) {
    if (path != null) {
      given.put(option, path);
    }
  }

  static Optional<Path> path(Options storage, String key) {
    try {
      return storage.text(key).map(Path::of);
    } catch (InvalidPathException e) {
      throw new ConfigurationException(key + " is no path: " + e.getReason());
    }
  }

  /**
   * Returns the options, each after a space, that lead another command to the same place.
   *
   * @param withData whether to the ledger, or to the archive alone
   */
  String asOptions(boolean withData) {
    return given.entrySet().stream()
        .filter(option -> withData || !option.getKey().equals("--data"))
        .map(
            option ->
                " "
                    + option.getKey()
                    + " "
                    + TdeConvertCommand.quoted(option.getValue().toString()))
        .collect(Collectors.joining());
  }

  /** Returns settings of a ledger and its archive at the given places, encrypted as these are. */
  Settings at(Path newData, Path newArchive) {
    return new Settings(
        Optional.of(newData),
        Optional.of(newArchive),
        Optional.empty(),
        Options.none(),
        ConfigFile.none(),
        masterKey);
  }

  /**
   * Returns the settings of another configuration, with the archive of this one, if it has none.
   */
  Settings ofFile(Path file) {
    ConfigFile other = ConfigFile.read(file);
    return new Settings(
        data,
        path(other.storage(), ConfigFile.ARCHIVE_PATH).or(() -> archive),
        Optional.empty(),
        other.storage(),
        other,
        MasterKey.of(other));
  }

  /** Returns the same settings with another archive. */
  Settings withArchive(Path newArchive) {
    return new Settings(data, Optional.of(newArchive), ledger, storage, config, masterKey);
  }

  /** Returns the same settings without an archive. */
  Settings withoutArchive() {
    return new Settings(data, Optional.empty(), ledger, storage, config, masterKey);
  }

  /** Returns the same settings of the ledger in another directory. */
  Settings withData(Path newData) {
    return new Settings(
        Optional.of(newData), archive, Optional.empty(), storage, config, masterKey);
  }

  boolean isEncrypted() {
    return masterKey.isPresent();
  }

  boolean hasData() {
    return data.isPresent();
  }

  boolean hasArchive() {
    return archive.isPresent();
  }

  Path data() {
    return data.orElseThrow(
        () -> CommandException.usage("--data DIR is missing: the directory of the ledger"));
  }

  Path archive() {
    return archive.orElseThrow(
        () ->
            CommandException.usage(
                (hasData() ? "" : "--data DIR is missing: the directory of the ledger; or else ")
                    + "--archive DIR is missing: the directory of the archive"));
  }

  /** Returns a builder of an existing ledger with everything that was set. */
  Ledgerkeep.Builder ledger() {
    return ledgerToMigrate(null);
  }

  /** Returns the same of a ledger that goes to another engine, whose section has an effect then. */
  Ledgerkeep.Builder ledgerToMigrate(@Nullable String target) {
    Optional<String> provider = storage.text(ConfigFile.PROVIDER);
    boolean isTuned = !config.engine(LEVELDB).asMap().isEmpty() && !LEVELDB.equals(target);
    return withEngines(isTuned ? provider.or(() -> Optional.of(LEVELDB)) : provider, target);
  }

  /** Returns what the configuration says of an engine. */
  Options engineOptions(String engine) {
    return config.engine(engine);
  }

  /** Returns a builder of a new ledger on the given engine, the configured one, or LevelDB. */
  Ledgerkeep.Builder newLedger(@Nullable String provider) {
    return withEngines(
        Optional.ofNullable(provider)
            .or(() -> storage.text(ConfigFile.PROVIDER))
            .or(() -> Optional.of(LEVELDB)),
        null);
  }

  private Ledgerkeep.Builder withEngines(Optional<String> provider, @Nullable String target) {
    Ledgerkeep.Builder builder = builder();
    provider.ifPresent(engine -> builder.storage(engine, config.engine(engine)));
    config
        .databases()
        .forEach((database, engine) -> builder.database(database, engine, config.engine(engine)));
    boolean isUsed =
        provider.filter(BADGERDB::equals).isPresent()
            || BADGERDB.equals(target)
            || config.databases().containsValue(BADGERDB);
    if (!isUsed && !config.engine(BADGERDB).asMap().isEmpty()) {
      throw new ConfigurationException(
          "the section '%s' has no effect: name it as the provider, of all databases or of one"
              .formatted(BADGERDB));
    }
    return builder;
  }

  private Ledgerkeep.Builder builder() {
    Ledgerkeep.Builder builder = Ledgerkeep.builder().directory(data());
    archive.ifPresent(path -> builder.archiveStore(DIRECTORY, archiveOptions(path)));
    storage.text(ConfigFile.CHAIN_ID).ifPresent(builder::chainId);
    number(ConfigFile.UNARCHIVED, builder::unarchivedBlocks);
    number(ConfigFile.RESERVE_BYTES, builder::reserveBytes);
    masterKey.ifPresent(key -> builder.encryption(key.encryptor(), key.options()));
    return builder.readThrough(storage.flag(ConfigFile.READ_THROUGH, false));
  }

  /**
   * Returns the rules by which the ledger is archived.
   *
   * @throws CommandException if there is none
   */
  Archiver.Policy archivePolicy() {
    Archiver.Policy policy =
        new Archiver.Policy(
            rule(ConfigFile.ARCHIVE_KEEP_BLOCKS),
            rule(ConfigFile.ARCHIVE_KEEP_BYTES),
            rule(ConfigFile.ARCHIVE_FREE_BYTES),
            Optional.empty());
    if (policy.equals(Archiver.Policy.none())) {
      throw CommandException.usage(
          "--policy needs a rule in the file of --config: %s, %s or %s"
              .formatted(
                  ConfigFile.ARCHIVE_KEEP_BLOCKS,
                  ConfigFile.ARCHIVE_KEEP_BYTES,
                  ConfigFile.ARCHIVE_FREE_BYTES));
    }
    return policy;
  }

  private OptionalLong rule(String key) {
    return storage.text(key).isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(storage.number(key, 0, 0, Long.MAX_VALUE));
  }

  /** Returns how it is logged. */
  LogSettings logs() {
    return new LogSettings(config, Stream.of(data, archive).flatMap(Optional::stream).toList());
  }

  /** Returns up to which height to rebuild, or empty for all. */
  OptionalLong rebuildHeight() {
    long height = storage.number(ConfigFile.REBUILD_HEIGHT, 0, 0, Long.MAX_VALUE);
    return height == 0 ? OptionalLong.empty() : OptionalLong.of(height);
  }

  /** Returns the master key, if one is configured. */
  Optional<MasterKey> masterKey() {
    return masterKey;
  }

  /** Opens the archive on its own, without a node. */
  Archive openArchive() {
    return openArchive(ledger);
  }

  /** Opens one of {@link #archivedLedgers} on its own. */
  Archive openArchive(String chosen) {
    return openArchive(Optional.of(chosen));
  }

  private Archive openArchive(Optional<String> chosen) {
    return archiveBuilder(chosen.orElse(null)).open();
  }

  /** Returns a builder of the archive of the chosen ledger, or of the only one there. */
  Ledgerkeep.ArchiveBuilder archiveBuilder(@Nullable String chosen) {
    Ledgerkeep.ArchiveBuilder builder =
        Ledgerkeep.archive().store(DIRECTORY, archiveOptions(archive()));
    if (chosen != null) {
      builder.ledger(chosen);
    }
    masterKey.ifPresent(key -> builder.encryption(key.encryptor(), key.options()));
    return builder;
  }

  /** Returns the ledgers that the archive's place holds, as {@code GENESIS/ID}. */
  List<String> archivedLedgers() {
    if (ledger.isPresent()) {
      return List.of(ledger.get());
    }
    Set<String> ledgers = new TreeSet<>();
    try (ArchiveStore store = directoryStore().open(archiveOptions(archive()))) {
      for (String name : store.list("")) {
        List<String> parts = Splitter.on('/').limit(3).splitToList(name);
        if (parts.size() == 3 && parts.get(2).startsWith("manifest/")) {
          ledgers.add(parts.get(0) + "/" + parts.get(1));
        }
      }
    }
    if (ledgers.isEmpty()) {
      throw new ConfigurationException("there is no archive in " + archive());
    }
    return List.copyOf(ledgers);
  }

  private static ArchiveStoreProvider directoryStore() {
    return ServiceLoader.load(ArchiveStoreProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.name().equals(DIRECTORY))
        .findFirst()
        .orElseThrow(() -> new ConfigurationException("no store for directories was found"));
  }

  private static Options archiveOptions(Path path) {
    return Options.of("path", path.toString());
  }

  private void number(String key, LongConsumer setter) {
    if (storage.text(key).isPresent()) {
      setter.accept(storage.number(key, 0, 0, Long.MAX_VALUE));
    }
  }
}
