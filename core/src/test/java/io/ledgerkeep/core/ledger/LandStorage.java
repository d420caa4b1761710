package io.ledgerkeep.core.ledger;

import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Stores in memory that go with the directories they are said to lie in: where one was removed, so
 * was its store. Paths that lead to the same place are one store.
 */
final class LandStorage implements StorageEngineProvider {

  private final MemoryDisk disk;
  private final StorageEngine.Limits limits;

  LandStorage(MemoryDisk disk) {
    this(disk, InMemoryStorage.ROOMY_LIMITS);
  }

  LandStorage(MemoryDisk disk, StorageEngine.Limits limits) {
    this.disk = disk;
    this.limits = limits;
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public StorageEngine open(Path store, Options options) {
    try {
      Path place = store.getParent().toRealPath().resolve(store.getFileName());
      boolean isThere = Files.isDirectory(place);
      Files.createDirectories(place);
      StorageEngine engine = new InMemoryStorage(disk, limits).open(place, options);
      if (!isThere) {
        engine.deleteRange(KeyRange.all());
      }
      return engine;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public boolean copy(Path store, Path target, Options options) {
    if (!Files.isDirectory(store)) {
      return false;
    }
    try {
      Path place = target.getParent().toRealPath().resolve(target.getFileName());
      Files.createDirectories(place);
      return new InMemoryStorage(disk).copy(store.toRealPath(), place, options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
