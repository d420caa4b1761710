package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.contract.StorageEngineContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

final class LevelDbContractTest extends StorageEngineContract {

  private static final int PAGE = 4096;

  /** What LevelDB itself needs, above what the test wants to write. */
  private static final long NEEDS_BYTES = 12 << 20;

  private final boolean fillsTheDisk;
  private final Random random = new Random(20260107);
  private SmallDisk disk;

  LevelDbContractTest(TestInfo test) {
    fillsTheDisk = test.getTestMethod().orElseThrow().getName().startsWith("rule14");
  }

  @Override
  protected StorageEngineProvider provider() {
    return new LevelDbStorageProvider();
  }

  @Override
  protected Options options() {
    return fillsTheDisk
        ? Options.of("low-space-bytes", "0", "write-buffer-bytes", Integer.toString(1 << 20))
        : Options.none();
  }

  @Override
  @BeforeEach
  public void prepare(@TempDir Path temporary) {
    try {
      if (fillsTheDisk) {
        disk = SmallDisk.mount(temporary.resolve("disk"), 64 << 20);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
    super.prepare(fillsTheDisk ? disk.root() : temporary);
  }

  @AfterEach
  void unmountDisk() throws Exception {
    if (disk != null) {
      closeAll();
      disk.close();
    }
  }

  @Override
  protected boolean limitDisk(Path storeDirectory, long freeBytes) {
    try {
      disk.fillBut(freeBytes + NEEDS_BYTES);
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  protected void unlimitDisk(Path storeDirectory) {
    try {
      disk.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A log that no write was synced to may lose any page, and may be cut or be without its last
   * blocks; nothing else was ever unsynced.
   */
  @Override
  protected boolean crashMachine(StorageEngine engine, Path storeDirectory) {
    try {
      Path image = Stores.image(storeDirectory, storeDirectory.resolveSibling("image"));
      engine.close();
      for (Path file : Stores.list(storeDirectory)) {
        if (Files.isRegularFile(file)) {
          Files.delete(file);
        }
      }
      for (Path file : Stores.list(image)) {
        Files.copy(file, storeDirectory.resolve(file.getFileName()));
      }
      if (Files.exists(storeDirectory.resolve("BUFFERED"))) {
        for (Path log : Stores.files(storeDirectory, StoreFiles.LOG)) {
          Files.write(log, partly(Files.readAllBytes(log)));
        }
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] partly(byte[] log) {
    byte[] left = Arrays.copyOf(log, random.nextInt(3) > 0 ? log.length : lessThan(log.length));
    for (int page = 0; page < left.length; page += PAGE) {
      if (random.nextInt(4) == 0) {
        Arrays.fill(left, page, Math.min(page + PAGE, left.length), (byte) 0);
      }
    }
    return left;
  }

  private int lessThan(int bound) {
    return bound == 0 ? 0 : random.nextInt(bound);
  }

  /** Flips one byte in each 512 of every table, but of its last kilobyte, which tells its parts. */
  @Override
  protected boolean damage(Path storeDirectory, Bytes key) {
    try {
      for (Path table : Stores.files(storeDirectory, StoreFiles.TABLE)) {
        byte[] content = Files.readAllBytes(table);
        for (int at = 200; at < content.length - 1024; at += 512) {
          content[at] ^= 1;
        }
        Files.write(table, content);
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
