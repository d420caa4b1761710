package io.ledgerkeep.leveldb;

import static io.ledgerkeep.storage.StorageEngine.Durability.DURABLE;
import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LevelDB gives no space back by itself, and not always when it is asked to. */
final class CompactionTest {

  private static final Bytes NOISE = Stores.noise(1, 2 << 20);
  private static final int ROW_BYTES = 2000;

  @TempDir private Path directory;

  /** Below, at and above the write buffer, since what lies in memory takes another way. */
  @Test
  void theSpaceOfADeletedRangeComesBackAtOnce() {
    for (int megabytes : List.of(4, 15, 60)) {
      int rows = megabytes * 1_000_000 / ROW_BYTES;
      try (StorageEngine engine = Stores.open(directory.resolve("of " + megabytes))) {
        fill(engine, rows);
        long full = engine.sizeBytes();
        KeyRange deleted = KeyRange.of(row(0), row(rows * 9 / 10));

        engine.deleteRange(deleted);
        engine.compact(deleted);

        assertThat(engine.sizeBytes()).as("of %d MB", megabytes).isLessThan(full / 5);
        assertThat(rowsOf(engine)).isEqualTo(rows / 10);
      }
    }
  }

  /** A LevelDB of 2012 did that, and this one must not. */
  @Test
  void whatWasDeletedStaysDeletedThroughAllCompactions() {
    int rows = 3000;
    try (StorageEngine engine = Stores.open(directory)) {
      fill(engine, rows);
      for (int round = 1; round <= 10; round++) {
        KeyRange deleted = KeyRange.of(row((round - 1) * 200), row(round * 200));
        engine.deleteRange(deleted);
        engine.compact(round % 2 == 0 ? deleted : KeyRange.all());
        engine.write(new WriteBatch().put(row(rows + round), Bytes.EMPTY), DURABLE);
        engine.flush();

        assertThat(rowsOf(engine)).isEqualTo(rows - round * 199);
      }
      engine.compact(KeyRange.all());
      assertThat(rowsOf(engine)).isEqualTo(rows - 10 * 199);
    }
    try (StorageEngine engine = Stores.open(directory)) {
      assertThat(rowsOf(engine)).isEqualTo(rows - 10 * 199);
    }
  }

  @Test
  void aRangeThatHoldsNothingCompactsNothing() throws IOException {
    try (StorageEngine engine = Stores.open(directory)) {
      fill(engine, 10_000);
      engine.compact(KeyRange.all());
      List<Path> tables = Stores.files(directory, StoreFiles.TABLE);
      assertThat(tables).hasSizeGreaterThan(5);

      engine.compact(KeyRange.of(row(5), row(5)));
      engine.compact(KeyRange.of(Bytes.EMPTY, Bytes.EMPTY));
      engine.compact(KeyRange.atLeast(Bytes.ofUtf8("zebra")));
      engine.flush();

      assertThat(Stores.files(directory, StoreFiles.TABLE)).isEqualTo(tables);
    }
  }

  @Test
  void compactingAPartLeavesTheRestAlone() throws IOException {
    try (StorageEngine engine = Stores.open(directory)) {
      fill(engine, 10_000);
      engine.compact(KeyRange.all());
      List<Path> before = Stores.files(directory, StoreFiles.TABLE);

      KeyRange deleted = KeyRange.of(row(0), row(1000));
      engine.deleteRange(deleted);
      engine.compact(deleted);

      List<Path> kept = new ArrayList<>(before);
      kept.retainAll(Stores.files(directory, StoreFiles.TABLE));
      assertThat(kept).hasSizeGreaterThanOrEqualTo(before.size() - 4);
    }
  }

  @Test
  void moreKeysAreDeletedThanOneBatchTakes() {
    int count = 120_000;
    try (StorageEngine engine = Stores.open(directory)) {
      for (int i = 0; i < count; i += 1000) {
        WriteBatch batch = new WriteBatch();
        for (int j = i; j < i + 1000; j++) {
          batch.put(row(j), Bytes.EMPTY);
        }
        engine.write(batch, DURABLE);
      }
      engine.deleteRange(KeyRange.of(row(1), row(count - 1)));

      assertThat(rowsOf(engine)).isEqualTo(2);
    }
  }

  private static void fill(StorageEngine engine, int rows) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      order.add(i);
    }
    Collections.shuffle(order, new Random(3));
    for (int i = 0; i < rows; i += 100) {
      WriteBatch batch = new WriteBatch();
      for (int number : order.subList(i, Math.min(i + 100, rows))) {
        int from = number * 31 % (NOISE.size() - ROW_BYTES);
        batch.put(row(number), NOISE.slice(from, from + ROW_BYTES));
      }
      engine.write(batch, DURABLE);
    }
  }

  private static Bytes row(int number) {
    return Bytes.ofUtf8("row %09d".formatted(number));
  }

  private static int rowsOf(StorageEngine engine) {
    int rows = 0;
    try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        rows++;
      }
    }
    return rows;
  }
}
