package io.ledgerkeep.testkit.contract;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.ByteBuffer;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;

/** Keys, values and the reading of whole ranges, in the words of the contract tests. */
final class Samples {

  /** What short noise is cut from: much of it is asked for. */
  private static final Bytes POOL = random(0, 2 << 20);

  private Samples() {}

  /** Returns a key; keys are ordered as their numbers. */
  static Bytes key(int number) {
    return Bytes.wrap(ByteBuffer.allocate(6).put((byte) 'k').put((byte) 0).putInt(number).array());
  }

  static Bytes value(long number) {
    return Bytes.ofUtf8("value " + number);
  }

  /** Returns bytes that cannot be compressed, the same for the same seed. */
  static Bytes noise(long seed, int size) {
    if (size > POOL.size() / 2) {
      return random(seed, size);
    }
    int from = (int) Math.floorMod(seed * 7_919, (long) POOL.size() - size);
    return POOL.slice(from, from + size);
  }

  private static Bytes random(long seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  /** Returns the range from one numbered key until another. */
  static KeyRange range(int from, int until) {
    return KeyRange.of(key(from), key(until));
  }

  /** Returns a batch that puts the same value at keys {@code from} until {@code until}. */
  static WriteBatch putAll(int from, int until, Bytes value) {
    WriteBatch batch = new WriteBatch();
    for (int i = from; i < until; i++) {
      batch.put(key(i), value);
    }
    return batch;
  }

  static WriteBatch deleteAll(int from, int until) {
    WriteBatch batch = new WriteBatch();
    for (int i = from; i < until; i++) {
      batch.delete(key(i));
    }
    return batch;
  }

  /** Returns what the scan yields, checked to come in ascending order. */
  static NavigableMap<Bytes, Bytes> read(Function<KeyRange, Cursor> scan, KeyRange range) {
    try (Cursor cursor = scan.apply(range)) {
      return read(cursor);
    }
  }

  /** Returns what the cursor still yields, checked to come in ascending order. */
  static NavigableMap<Bytes, Bytes> read(Cursor cursor) {
    NavigableMap<Bytes, Bytes> found = new TreeMap<>();
    while (cursor.next()) {
      Bytes key = cursor.key();
      if (!found.isEmpty() && found.lastKey().compareTo(key) >= 0) {
        throw new AssertionError(key.hex() + " comes after " + found.lastKey().hex());
      }
      found.put(key, cursor.value());
    }
    return found;
  }
}
