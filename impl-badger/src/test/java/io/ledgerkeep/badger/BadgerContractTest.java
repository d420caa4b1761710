package io.ledgerkeep.badger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.contract.StorageEngineContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

final class BadgerContractTest extends StorageEngineContract {

  private static final int MIB = 1 << 20;

  /** What the sidecar keeps free when it is told to keep so much: four memtables more. */
  private static final long KEEPS_FREE_BYTES = 16 * MIB + 4 * 8 * MIB;

  private final boolean fillsTheDisk;
  private SmallDisk disk;

  BadgerContractTest(TestInfo test) {
    fillsTheDisk = test.getTestMethod().orElseThrow().getName().startsWith("rule14");
  }

  @BeforeAll
  static void assumeSidecar() {
    Stores.assumeSidecar();
  }

  @Override
  protected StorageEngineProvider provider() {
    return new BadgerStorageProvider();
  }

  @Override
  protected Options options() {
    return fillsTheDisk
        ? Options.of("min-free-bytes", "" + 16 * MIB, "memtable-bytes", "" + 8 * MIB)
        : Options.none();
  }

  @Override
  @BeforeEach
  public void prepare(@TempDir Path temporary) {
    try {
      if (fillsTheDisk) {
        disk = SmallDisk.mount(temporary.resolve("disk"), 256 * MIB);
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
      disk.fillBut(freeBytes + KEEPS_FREE_BYTES);
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
   * Whatever had returned was synced; so the files as they are at this moment, without anything the
   * sidecar does when it is stopped in order, are what a crash leaves.
   */
  @Override
  protected boolean crashMachine(StorageEngine engine, Path storeDirectory) {
    try {
      Path image = storeDirectory.resolveSibling("image");
      Stores.killSidecars();
      Stores.copy(storeDirectory, image);
      engine.close();
      Stores.delete(storeDirectory);
      Files.move(image, storeDirectory);
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What crashes leave here is always the same: all that was acknowledged. */
  @Override
  protected int crashes() {
    return 5;
  }

  /** Flips one byte in each 512 of every table, but of its end, which tells its parts. */
  @Override
  protected boolean damage(Path storeDirectory, Bytes key) {
    try {
      for (Path table : Stores.files(storeDirectory, ".sst")) {
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
