package io.ledgerkeep.testkit;

import static io.ledgerkeep.storage.StorageEngine.Durability.BUFFERED;
import static io.ledgerkeep.storage.StorageEngine.Durability.DURABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class MemoryDiskTest {

  private static final Path DIRECTORY = Path.of("store");

  private final MemoryDisk disk = new MemoryDisk(7);

  private StorageEngine open() {
    return open(DIRECTORY);
  }

  private StorageEngine open(Path directory) {
    return new InMemoryStorage(disk).open(directory, Options.none());
  }

  private static Bytes key(int number) {
    return Bytes.ofUtf8("key %05d".formatted(number));
  }

  private static void put(StorageEngine engine, int number, Durability durability) {
    engine.write(new WriteBatch().put(key(number), Bytes.ofUtf8("value " + number)), durability);
  }

  private static NavigableMap<Bytes, Bytes> content(StorageEngine engine) {
    NavigableMap<Bytes, Bytes> found = new TreeMap<>();
    try (Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        found.put(cursor.key(), cursor.value());
      }
    }
    return found;
  }

  @Test
  void anEngineHoldsWhatASortedMapWouldHold() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    NavigableMap<Bytes, Bytes> expected = new TreeMap<>();
    StorageEngine engine = open();
    for (int i = 0; i < 20_000; i++) {
      Bytes key = key(random.nextInt(2_000));
      if (random.nextInt(3) == 0) {
        engine.write(new WriteBatch().delete(key), BUFFERED);
        expected.remove(key);
      } else {
        engine.write(new WriteBatch().put(key, key(i)), BUFFERED);
        expected.put(key, key(i));
      }
    }
    KeyRange range = KeyRange.of(key(500), key(700));
    engine.deleteRange(range);
    expected.keySet().removeIf(range::contains);

    assertThat(content(engine)).as("seed %d", seed).isEqualTo(expected);
  }

  @Test
  void aCrashTakesARandomNumberOfBufferedWrites() {
    Set<Integer> kept = new HashSet<>();
    for (int round = 0; round < 50; round++) {
      StorageEngine engine = open();
      engine.deleteRange(KeyRange.all());
      for (int i = 0; i < 4; i++) {
        put(engine, i, BUFFERED);
      }
      disk.crash();
      kept.add(content(open()).size());
      disk.crash();
    }
    assertThat(kept).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
  }

  @Test
  void aCrashCanTakeAllThatIsBufferedAndNothingElse() {
    StorageEngine engine = open();
    put(engine, 1, BUFFERED);
    put(engine, 2, DURABLE);
    put(engine, 3, BUFFERED);
    disk.crashLosingAllBuffered();

    assertThat(content(open())).containsOnlyKeys(key(2));
  }

  @Test
  void theSameSeedGivesTheSameCrash() {
    assertThat(survivors(11)).isEqualTo(survivors(11));
    assertThat(new MemoryDisk(11)).hasToString("MemoryDisk[seed=11L]");
  }

  private static int survivors(long seed) {
    MemoryDisk other = new MemoryDisk(seed);
    StorageEngine engine = new InMemoryStorage(other).open(DIRECTORY, Options.none());
    for (int i = 0; i < 1000; i++) {
      put(engine, i, BUFFERED);
    }
    other.crash();
    return content(new InMemoryStorage(other).open(DIRECTORY, Options.none())).size();
  }

  @Test
  void whoGoesOnAfterACrashIsStopped() {
    StorageEngine engine = open();
    StorageEngine.Snapshot snapshot = engine.snapshot();
    disk.crash();
    StorageEngine next = open();

    assertThatThrownBy(() -> put(engine, 1, DURABLE)).isInstanceOf(MachineCrash.class);
    assertThatThrownBy(() -> snapshot.get(key(1))).isInstanceOf(MachineCrash.class);
    snapshot.close();
    engine.close();
    assertThat(content(next)).isEmpty();
    assertThatThrownBy(this::open).isInstanceOf(ConflictException.class);
  }

  @Test
  void theLimitHoldsForAllStoresTogetherAndMayChange() {
    AtomicLong reserve = new AtomicLong(1000);
    disk.limitBytes(() -> 1000 - reserve.get());
    StorageEngine first = open();
    StorageEngine second = open(Path.of("second"));
    assertThatThrownBy(() -> put(first, 1, DURABLE)).isInstanceOf(StorageException.class);

    reserve.set(910);
    put(first, 1, DURABLE);
    put(first, 2, DURABLE);
    assertThatThrownBy(() -> put(second, 1, DURABLE)).isInstanceOf(StorageException.class);
    assertThat(disk.usedBytes()).isEqualTo(64);
    assertThat(content(second)).isEmpty();
  }

  @Test
  void deletingNeedsRoomUntilCompactionGivesItBack() {
    StorageEngine engine = open();
    for (int i = 0; i < 3000; i++) {
      put(engine, i, DURABLE);
    }
    long full = disk.usedBytes();
    disk.limitBytes(full + 40_000);

    assertThatThrownBy(() -> engine.deleteRange(KeyRange.all()))
        .isInstanceOf(StorageException.class);
    assertThat(content(engine)).hasSizeBetween(1, 2999);
    engine.compact(KeyRange.all());
    assertThat(disk.usedBytes()).isLessThan(full);
    engine.deleteRange(KeyRange.all());
    engine.compact(KeyRange.all());
    assertThat(disk.usedBytes()).isZero();
  }

  @Test
  void compactionGivesBackTheRangeAskedForAndNothingASnapshotSees() {
    StorageEngine engine = open();
    put(engine, 1, DURABLE);
    put(engine, 2, DURABLE);
    long full = engine.sizeBytes();
    StorageEngine.Snapshot snapshot = engine.snapshot();
    engine.deleteRange(KeyRange.all());

    engine.compact(KeyRange.all());
    assertThat(engine.sizeBytes()).isGreaterThanOrEqualTo(full);
    snapshot.close();
    engine.compact(KeyRange.atLeast(key(2)));
    assertThat(engine.sizeBytes()).isBetween(1L, full);
    engine.compact(KeyRange.all());
    assertThat(engine.sizeBytes()).isZero();
  }

  @Test
  void aDamagedValueIsToldUntilItIsWrittenAgain() {
    StorageEngine engine = open();
    put(engine, 1, BUFFERED);
    put(engine, 2, DURABLE);
    disk.damage(DIRECTORY, key(2));

    assertThatThrownBy(() -> engine.get(key(2))).isInstanceOf(IntegrityException.class);
    assertThatThrownBy(() -> content(engine)).isInstanceOf(IntegrityException.class);
    assertThat(engine.get(key(1))).isPresent();
    disk.crash();
    StorageEngine again = open();
    assertThatThrownBy(() -> again.get(key(2))).isInstanceOf(IntegrityException.class);
    put(again, 2, DURABLE);
    assertThatCode(() -> content(again)).doesNotThrowAnyException();
    assertThatThrownBy(() -> disk.damage(DIRECTORY, key(9)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aDamagedStoreCannotBeOpened() {
    open().close();
    disk.damage(DIRECTORY);
    assertThatThrownBy(this::open).isInstanceOf(IntegrityException.class);
  }

  @Test
  void anOlderCopyCanBePutBack() {
    StorageEngine engine = open();
    put(engine, 1, BUFFERED);
    disk.copy(DIRECTORY, Path.of("backup"));
    put(engine, 2, DURABLE);
    assertThatThrownBy(() -> disk.copy(Path.of("backup"), DIRECTORY))
        .isInstanceOf(ConflictException.class);
    engine.close();

    disk.copy(Path.of("backup"), DIRECTORY);

    assertThat(content(open())).containsOnlyKeys(key(1));
  }

  @Test
  void whatIsLeftOpenIsNamedWithThePlaceWhereItWasOpened() {
    disk.assertAllClosed();
    StorageEngine engine = open();
    StorageEngine.Snapshot snapshot = engine.snapshot();
    Cursor cursor = leakyScan(snapshot);
    engine.close();

    assertThatThrownBy(disk::assertAllClosed)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("2 left open")
        .hasMessageContaining("leakyScan");
    cursor.close();
    snapshot.close();
    disk.assertAllClosed();
  }

  private static Cursor leakyScan(StorageEngine.Snapshot snapshot) {
    return snapshot.scan(KeyRange.all());
  }
}
