package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultyStorage;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.MemoryDisk;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A directory and a disk in memory that outlive the ledgers opened on them, and a look behind: what
 * lies on the engines, and what goes wrong with them.
 */
final class World {

  final Path directory;
  final MemoryDisk disk;
  StorageEngine.Limits limits = InMemoryStorage.ROOMY_LIMITS;

  /** What goes wrong with the engines opened from now on. */
  FaultPlan plan = new FaultPlan();

  private final Map<Database, StorageEngine> engines = new EnumMap<>(Database.class);

  World(Path directory, long seed) {
    this.directory = directory;
    this.disk = new MemoryDisk(seed);
  }

  World(Path directory) {
    this(directory, 1);
  }

  /** Returns settings that lead here; a test may change them. */
  Settings settings() {
    Settings settings = new Settings();
    settings.directory = directory;
    settings.engine = new Settings.ProvidedEngine(new Behind(), Options.none());
    settings.reserveBytes = 0;
    return settings;
  }

  Ledger open() {
    return open(settings());
  }

  Ledger open(Settings settings) {
    return new LedgerOpener(settings).open(true);
  }

  /** Returns where the store of a database lies on the disk. */
  Path store(Database database) {
    return directory.resolve(database.lowerCaseName()).resolve("db");
  }

  /** Returns the engine behind an open database, without faults. */
  StorageEngine engine(Database database) {
    return engines.get(database);
  }

  /** Returns all keys and values of all databases of the open ledger. */
  Map<Database, TreeMap<Bytes, Bytes>> content() {
    Map<Database, TreeMap<Bytes, Bytes>> all = new EnumMap<>(Database.class);
    engines.forEach((database, engine) -> all.put(database, content(engine)));
    return all;
  }

  static TreeMap<Bytes, Bytes> content(StorageEngine engine) {
    TreeMap<Bytes, Bytes> content = new TreeMap<>();
    try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        content.put(cursor.key(), cursor.value());
      }
    }
    return content;
  }

  /** Runs something with the engine of a database of a ledger that is closed. */
  void withStore(Database database, java.util.function.Consumer<StorageEngine> action) {
    try (StorageEngine engine =
        new InMemoryStorage(disk, limits).open(store(database), Options.none())) {
      action.accept(engine);
    }
  }

  /** Ends a ledger as the crash of its machine does: nothing of it is written any more. */
  void crash(@Nullable Ledger ledger) {
    disk.crash();
    if (ledger != null) {
      try {
        ledger.close();
      } catch (MachineCrash e) {
        // nothing runs any more; but this process goes on, and gave the directory free
      }
    }
    plan = new FaultPlan();
  }

  /** Opens engines on the disk, remembers them, and lets them fail by the plan. */
  private final class Behind implements StorageEngineProvider {

    @Override
    public String name() {
      return "memory";
    }

    @Override
    public StorageEngine open(Path store, Options options) {
      return new FaultyStorage(new Remembering(), plan).open(store, options);
    }
  }

  private final class Remembering implements StorageEngineProvider {

    @Override
    public String name() {
      return "memory";
    }

    @Override
    public StorageEngine open(Path store, Options options) {
      StorageEngine engine = new InMemoryStorage(disk, limits).open(store, options);
      for (Database database : Database.values()) {
        if (store.getParent().endsWith(database.lowerCaseName())) {
          engines.put(database, engine);
        }
      }
      return engine;
    }
  }
}
