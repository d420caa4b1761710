package io.ledgerkeep.examples.journal;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.contract.StorageEngineContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/** The engine of the examples keeps every rule of an engine. */
// [contract]
final class JournalEngineTest extends StorageEngineContract {

  private volatile long maxBytes = Long.MAX_VALUE;
  private final JournalStorage storage = new JournalStorage(() -> maxBytes);

  @Override
  protected StorageEngineProvider provider() {
    return storage;
  }

  // [/contract]

  private final Random random = new Random(7);

  /** Leaves what was synced, and of what was not as much as luck has it. */
  @Override
  protected boolean crashMachine(StorageEngine engine, Path storeDirectory) {
    long synced = ((JournalEngine) engine).syncedBytes();
    long size = engine.sizeBytes();
    engine.close();
    long left = synced + random.nextLong(size - synced + 1);
    try (FileChannel file = FileChannel.open(journal(storeDirectory), StandardOpenOption.WRITE)) {
      file.truncate(left);
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  protected boolean damage(Path storeDirectory, Bytes key) {
    try {
      byte[] content = Files.readAllBytes(journal(storeDirectory));
      int at =
          new String(content, StandardCharsets.ISO_8859_1)
              .indexOf(new String(key.toArray(), StandardCharsets.ISO_8859_1));
      content[at + key.size() + Integer.BYTES] ^= 1;
      Files.write(journal(storeDirectory), content);
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  protected boolean limitDisk(Path storeDirectory, long freeBytes) {
    try {
      maxBytes = Files.size(journal(storeDirectory)) + freeBytes;
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  protected void unlimitDisk(Path storeDirectory) {
    maxBytes = Long.MAX_VALUE;
  }

  private static Path journal(Path storeDirectory) {
    return storeDirectory.resolve("journal");
  }
}
