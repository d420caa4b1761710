package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.contract.StorageEngineContract;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;

/** An engine that seals keeps every rule of an engine. */
class SealedEngineTest extends StorageEngineContract {

  private static final ExecutorService THREADS = Executors.newFixedThreadPool(2);

  private final MemoryDisk disk = new MemoryDisk();

  StorageEngine.Limits limits() {
    return InMemoryStorage.ROOMY_LIMITS;
  }

  @AfterAll
  static void endThreads() {
    THREADS.shutdown();
  }

  @Override
  protected StorageEngineProvider provider() {
    return new StorageEngineProvider() {
      @Override
      public String name() {
        return "sealing";
      }

      @Override
      public StorageEngine open(Path directory, Options options) {
        StorageEngine engine = new InMemoryStorage(disk, limits()).open(directory, options);
        EpochEncryptor encryptor =
            new EpochEncryptor(Keys.keyring(directory.resolveSibling("registry"), "aes", Keys.AES));
        return new SealedEngine(
            engine, encryptor, Keys.LEDGER, Database.STATE, key -> OptionalLong.empty(), THREADS);
      }

      @Override
      public boolean copy(Path directory, Path target, Options options) {
        return new InMemoryStorage(disk, limits()).copy(directory, target, options);
      }
    };
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
