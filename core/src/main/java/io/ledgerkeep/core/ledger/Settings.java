package io.ledgerkeep.core.ledger;

import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.ArchiveStoreProvider;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.sealing.KeyObject;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** What a builder collected. Changed by the builder only. */
final class Settings {

  @Nullable Path directory;
  @Nullable String chainId;
  @Nullable String digest;
  final Map<Database, EngineChoice> engines = new EnumMap<>(Database.class);
  @Nullable EngineChoice engine;
  Encryption encryption = Encryption.NONE;
  @Nullable StoreChoice store;
  @Nullable Long unarchivedBlocks;
  boolean readThrough;
  @Nullable BlockVerifier verifier;
  Executor executor = Runnable::run;

  /** Serves the control socket; of a ledger that a job opens for itself nobody serves one. */
  @Nullable Executor control;

  long reserveBytes = 64L << 20;

  /** After so many blocks state and history are made durable; less only in tests. */
  long checkpointBlocks = 50_000;

  /** After so many bytes of bodies a job moves the pivot; less only in tests. */
  long handOverBytes = 64 << 20;

  /** After so many bytes of bodies to archive a copy archives them; less only in tests. */
  long copyArchiveBytes = 1L << 30;

  /** After so many bytes of rows a file of a backup ends; less only in tests. */
  long backupFileBytes = 256 << 20;

  /** Tells how much room there is on the disk of a directory; otherwise only in tests. */
  ToLongFunction<Path> usableBytes = CopyRoom::usableBytes;

  /** Sees the blocks that an opening applies to state and history. */
  @Nullable JobWatch replayWatch;

  /** Whether the ledger is to remember how many blocks are never archived. */
  boolean keepsUnarchivedBlocks = true;

  /** Where a new ledger has its databases, if not in its directory. */
  @Nullable Layout layout;

  /** The identity of a new ledger, if it is not to be drawn. */
  @Nullable Bytes ledgerId;

  /** What holds the keys of the archive that a new ledger goes on with. */
  List<KeyObject> archiveKeys = List.of();

  ClassLoader classLoader = ownClassLoader();

  /** Returns settings that are the same, and may be changed. */
  Settings copy() {
    Settings copy = new Settings();
    copy.directory = directory;
    copy.chainId = chainId;
    copy.digest = digest;
    copy.engines.putAll(engines);
    copy.engine = engine;
    copy.encryption = encryption;
    copy.store = store;
    copy.unarchivedBlocks = unarchivedBlocks;
    copy.readThrough = readThrough;
    copy.verifier = verifier;
    copy.executor = executor;
    copy.reserveBytes = reserveBytes;
    copy.checkpointBlocks = checkpointBlocks;
    copy.handOverBytes = handOverBytes;
    copy.copyArchiveBytes = copyArchiveBytes;
    copy.backupFileBytes = backupFileBytes;
    copy.usableBytes = usableBytes;
    copy.replayWatch = replayWatch;
    copy.keepsUnarchivedBlocks = keepsUnarchivedBlocks;
    copy.layout = layout;
    copy.ledgerId = ledgerId;
    copy.archiveKeys = archiveKeys;
    copy.classLoader = classLoader;
    return copy;
  }

  static ClassLoader ownClassLoader() {
    ClassLoader own = Settings.class.getClassLoader();
    return own == null ? ClassLoader.getSystemClassLoader() : own;
  }

  Path requiredDirectory() {
    if (directory == null) {
      throw new ConfigurationException("the directory of the ledger is missing");
    }
    return directory;
  }

  Optional<EngineChoice> choice(Database database) {
    return Optional.ofNullable(engines.getOrDefault(database, engine));
  }

  /** Refuses engines that were handed in: there is no way to have another one beside them. */
  void requireOwnEngines(Layout layout, Collection<Database> databases) {
    for (Database database : databases) {
      if (layout.place(database).engine().equals(BuiltEngine.NAME)
          || choice(database).filter(choice -> !choice.isOurs()).isPresent()) {
        throw new ConfigurationException(
            "the engine of the %s database was handed in, so there is none to write to beside it; make another ledger and commit the blocks there"
                .formatted(database.lowerCaseName()));
      }
    }
  }

  /** How an engine was chosen. */
  interface EngineChoice {

    /** Returns the name that LAYOUT keeps. */
    String name();

    /** Opens the engine, or returns the one handed in. */
    StorageEngine open(Path directory, ClassLoader loader);

    /**
     * Copies the store of a directory; returns whether there is one.
     *
     * @throws ConfigurationException if it cannot be copied
     */
    boolean copy(Path directory, Path target, ClassLoader loader);

    /** Returns whether the engine is closed with the ledger. */
    default boolean isOurs() {
      return true;
    }
  }

  record NamedEngine(String name, Options options) implements EngineChoice {
    @Override
    public StorageEngine open(Path directory, ClassLoader loader) {
      return provider(loader).open(directory, options);
    }

    @Override
    public boolean copy(Path directory, Path target, ClassLoader loader) {
      return provider(loader).copy(directory, target, options);
    }

    private StorageEngineProvider provider(ClassLoader loader) {
      return Providers.named(
          name, "storage engine", StorageEngineProvider.class, StorageEngineProvider::name, loader);
    }
  }

  record ProvidedEngine(StorageEngineProvider provider, Options options) implements EngineChoice {
    @Override
    public String name() {
      return provider.name();
    }

    @Override
    public StorageEngine open(Path directory, ClassLoader loader) {
      return provider.open(directory, options);
    }

    @Override
    public boolean copy(Path directory, Path target, ClassLoader loader) {
      return provider.copy(directory, target, options);
    }
  }

  record BuiltEngine(StorageEngine engine) implements EngineChoice {

    static final String NAME = "-";

    @Override
    public String name() {
      return NAME;
    }

    @Override
    public StorageEngine open(Path directory, ClassLoader loader) {
      return engine;
    }

    @Override
    public boolean copy(Path directory, Path target, ClassLoader loader) {
      throw new ConfigurationException("its engine was handed in, and is not copied");
    }

    @Override
    public boolean isOurs() {
      return false;
    }
  }

  /** How the store of the archive was chosen. */
  interface StoreChoice {

    /** Opens the store, or returns the one handed in. */
    ArchiveStore open(ClassLoader loader);

    /** Returns whether the store is closed with the ledger. */
    boolean isOurs();
  }

  record NamedStore(String name, Options options) implements StoreChoice {
    @Override
    public ArchiveStore open(ClassLoader loader) {
      return Providers.named(
              name, "archive store", ArchiveStoreProvider.class, ArchiveStoreProvider::name, loader)
          .open(options);
    }

    @Override
    public boolean isOurs() {
      return true;
    }
  }

  record BuiltStore(ArchiveStore store) implements StoreChoice {
    @Override
    public ArchiveStore open(ClassLoader loader) {
      return store;
    }

    @Override
    public boolean isOurs() {
      return false;
    }
  }
}
