package io.ledgerkeep.leveldb;

import static io.ledgerkeep.leveldb.Stores.content;
import static io.ledgerkeep.leveldb.Stores.noise;
import static io.ledgerkeep.storage.StorageEngine.Durability.BUFFERED;
import static io.ledgerkeep.storage.StorageEngine.Durability.DURABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A full disk ends a process that writes to LevelDB; if one of these tests fails, it may well take
 * the process that runs it along.
 */
final class FullDiskTest {

  private static final int MIB = 1 << 20;
  private static final Bytes NOISE = noise(1, 4 * MIB);
  private static final int ROW_BYTES = 50_000;
  private static final int ROWS_OF_A_BATCH = 4;

  private static final Options OPTIONS =
      Options.of(
          "write-buffer-bytes",
          Integer.toString(MIB),
          "low-space-bytes",
          Integer.toString(8 * MIB));

  private SmallDisk disk;
  private Path directory;

  @BeforeEach
  void mountDisk(@TempDir Path temporary) throws Exception {
    disk = SmallDisk.mount(temporary.resolve("disk"), 64 * MIB);
    directory = disk.root().resolve("store");
  }

  @AfterEach
  void unmountDisk() throws Exception {
    if (disk != null) {
      disk.close();
    }
  }

  @Test
  void commitsToAFullDiskAreRefusedAndTheDataAreWhole() throws IOException {
    for (Durability durability : Durability.values()) {
      int batches;
      try (StorageEngine engine = Stores.open(directory, OPTIONS)) {
        batches = writeUntilFull(engine, 0, durability);
        // Compactions in the background may make room for some more; in the end there is none.
        for (int i = 0; i < 20; i++) {
          batches = writeUntilFull(engine, batches, durability);
        }
        assertWhole(engine, batches);
        assertThat(disk.freeBytes()).isPositive();
      }
      try (StorageEngine engine = Stores.open(directory, OPTIONS)) {
        assertWhole(engine, batches);
        engine.deleteRange(KeyRange.all());
        engine.compact(KeyRange.all());
      }
    }
  }

  @Test
  void writingGoesOnOnceThereIsRoom() throws IOException {
    try (StorageEngine engine = Stores.open(directory, OPTIONS)) {
      disk.fillBut(30 * MIB);
      int batches = writeUntilFull(engine, 0, DURABLE);

      disk.empty();
      writeBatch(engine, batches, DURABLE);
      assertWhole(engine, batches + 1);
    }
  }

  @Test
  void commitsAreRefusedFirstThenWhatFollowsThemThenDeletes() throws IOException {
    Options options = OPTIONS.with("low-space-bytes", Integer.toString(16 * MIB));
    WriteBatch put = new WriteBatch().put(key(0), Bytes.EMPTY);
    WriteBatch delete = new WriteBatch().delete(key(0));
    try (StorageEngine engine = Stores.open(directory, options)) {
      int commits = leastFreeMib(() -> engine.write(put, DURABLE));
      int followers = leastFreeMib(() -> engine.write(put, BUFFERED));
      int deletes = leastFreeMib(() -> engine.write(delete, BUFFERED));

      assertThat(commits).isGreaterThanOrEqualTo(followers + 4);
      assertThat(followers).isGreaterThanOrEqualTo(deletes + 2);
      disk.fillBut((deletes - 1) * (long) MIB);
      engine.flush();
      engine.compact(KeyRange.all());
    }
  }

  /** Returns with how little room the write is accepted. */
  private int leastFreeMib(Runnable write) throws IOException {
    for (int free = 40; free > 0; free--) {
      disk.fillBut(free * (long) MIB);
      try {
        write.run();
      } catch (StorageException e) {
        assertThat(e.isOutOfSpace()).as("out of space: %s", e).isTrue();
        return free + 1;
      }
    }
    throw new AssertionError("never refused");
  }

  @Test
  void aFullStoreCanBeEmptiedAndThenWrittenTo() throws IOException {
    try (StorageEngine engine = Stores.open(directory, OPTIONS)) {
      int batches = writeUntilFull(engine, 0, DURABLE);
      long full = engine.sizeBytes();

      KeyRange most = KeyRange.of(key(0), key(batches * ROWS_OF_A_BATCH * 9 / 10));
      engine.deleteRange(most);
      engine.compact(most);

      assertThat(engine.sizeBytes()).isLessThan(full / 4);
      writeBatch(engine, batches, DURABLE);
    }
  }

  @Test
  void aStoreWhoseLogsWouldOverflowTheDiskIsNotOpened() throws IOException {
    Options wide = OPTIONS.with("write-buffer-bytes", Integer.toString(32 * MIB));
    Path image;
    try (StorageEngine engine = Stores.open(directory, wide)) {
      for (int i = 0; i < 50; i++) {
        engine.write(rows(i), DURABLE);
      }
      image = Stores.image(directory, disk.root().resolve("image"));
    }
    disk.fillBut(6 * MIB);

    assertOutOfSpace(() -> Stores.open(image, wide).close());
    disk.empty();
    try (StorageEngine engine = Stores.open(image, wide)) {
      assertWhole(engine, 50);
    }
  }

  @Test
  void storesOnOneDiskLeaveRoomForEachOther() throws IOException {
    try (StorageEngine first = Stores.open(directory, OPTIONS);
        StorageEngine second = Stores.open(disk.root().resolve("second"), OPTIONS)) {
      int batches = 0;
      try {
        while (true) {
          first.write(rows(batches), DURABLE);
          second.write(rows(batches), BUFFERED);
          batches++;
        }
      } catch (StorageException e) {
        assertThat(e.isOutOfSpace()).isTrue();
      }
      // What follows a commit is never refused before the commit was.
      assertWhole(first, batches);
      assertWhole(second, batches);
    }
  }

  /** Writes batches from the given number on until one is refused, and returns its number. */
  private static int writeUntilFull(StorageEngine engine, int from, Durability durability) {
    int batches = from;
    try {
      while (true) {
        writeBatch(engine, batches, durability);
        batches++;
      }
    } catch (StorageException e) {
      assertThat(e.isOutOfSpace()).as("out of space: %s", e).isTrue();
      assertThat(e.isRetryable()).isTrue();
      return batches;
    }
  }

  private static void writeBatch(StorageEngine engine, int number, Durability durability) {
    engine.write(rows(number), durability);
  }

  private static WriteBatch rows(int number) {
    WriteBatch batch = new WriteBatch();
    for (int i = number * ROWS_OF_A_BATCH; i < (number + 1) * ROWS_OF_A_BATCH; i++) {
      batch.put(key(i), value(i));
    }
    return batch;
  }

  private static Bytes key(int number) {
    return Bytes.ofUtf8("row %09d".formatted(number));
  }

  private static Bytes value(int number) {
    int from = number * 97 % (NOISE.size() - ROW_BYTES);
    return NOISE.slice(from, from + ROW_BYTES);
  }

  private static void assertWhole(StorageEngine engine, int batches) {
    assertThat(content(engine)).hasSize(batches * ROWS_OF_A_BATCH);
    for (int i = 0; i < batches * ROWS_OF_A_BATCH; i++) {
      assertThat(engine.get(key(i))).contains(value(i));
    }
  }

  private static void assertOutOfSpace(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class, e -> assertThat(e.isOutOfSpace()).as("%s", e).isTrue());
  }
}
