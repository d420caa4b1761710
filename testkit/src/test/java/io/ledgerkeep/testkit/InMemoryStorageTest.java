package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.contract.StorageEngineContract;
import java.nio.file.Path;

/** The in-memory engine keeps every rule of an engine. */
class InMemoryStorageTest extends StorageEngineContract {

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryStorage storage = new InMemoryStorage(disk, limits());

  StorageEngine.Limits limits() {
    return InMemoryStorage.ROOMY_LIMITS;
  }

  @Override
  protected StorageEngineProvider provider() {
    return storage;
  }

  @Override
  protected boolean crashMachine(StorageEngine engine, Path storeDirectory) {
    disk.crash();
    return true;
  }

  @Override
  protected boolean damage(Path storeDirectory, Bytes key) {
    disk.damage(storeDirectory, key);
    return true;
  }

  @Override
  protected boolean limitDisk(Path storeDirectory, long freeBytes) {
    disk.limitBytes(disk.usedBytes() + freeBytes);
    return true;
  }

  @Override
  protected void unlimitDisk(Path storeDirectory) {
    disk.limitBytes(Long.MAX_VALUE);
  }

  @Override
  protected boolean isSharedWithOtherProcesses() {
    return false;
  }
}
