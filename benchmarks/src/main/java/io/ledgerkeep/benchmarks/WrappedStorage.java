package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.BiFunction;

/** LevelDB under its own name, with something between it and the ledger. */
final class WrappedStorage implements StorageEngineProvider {

  private final BiFunction<Database, StorageEngine, StorageEngine> wrap;

  WrappedStorage(BiFunction<Database, StorageEngine, StorageEngine> wrap) {
    this.wrap = wrap;
  }

  @Override
  public String name() {
    return EngineSettings.ENGINE;
  }

  /**
   * Opens the store; the ledger keeps each in a directory whose name begins with that of its
   * database.
   */
  @Override
  public StorageEngine open(Path directory, Options options) {
    Path home = Objects.requireNonNull(directory.toAbsolutePath().getParent());
    String name = home.getFileName().toString().split("\\.", 2)[0].toUpperCase(Locale.ROOT);
    return wrap.apply(Database.valueOf(name), provider().open(directory, options));
  }

  private static StorageEngineProvider provider() {
    return ServiceLoader.load(StorageEngineProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(provider -> provider.name().equals(EngineSettings.ENGINE))
        .findFirst()
        .orElseThrow();
  }

  /** Passes everything on. */
  abstract static class Engine implements StorageEngine {

    private final StorageEngine engine;

    Engine(StorageEngine engine) {
      this.engine = engine;
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
      return engine.get(key);
    }

    @Override
    public Cursor scan(KeyRange range) {
      return engine.scan(range);
    }

    @Override
    public Snapshot snapshot() {
      return engine.snapshot();
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      engine.write(batch, durability);
    }

    @Override
    public void flush() {
      engine.flush();
    }

    @Override
    public void deleteRange(KeyRange range) {
      engine.deleteRange(range);
    }

    @Override
    public void compact(KeyRange range) {
      engine.compact(range);
    }

    @Override
    public Limits limits() {
      return engine.limits();
    }

    @Override
    public long sizeBytes() {
      return engine.sizeBytes();
    }

    @Override
    public void close() {
      engine.close();
    }
  }
}
