package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * Cuts a range into consecutive ones that hold about as much each, by halving the space of keys
 * where it holds much.
 *
 * <p>LevelDB compacts one range at a time and lets nothing else but flushes in between; while it is
 * at it, the tables that commits leave at level 0 pile up until commits stall. Each compaction of a
 * slice takes level 0 along.
 */
final class Slices {

  /** Halving looks at so many bytes behind what both ends have in common. */
  private static final int DIGITS = Long.BYTES;

  private final ToLongFunction<KeyRange> sizeBytes;
  private final long sliceBytes;
  private final List<KeyRange> slices = new ArrayList<>();
  private Bytes begun;
  private long begunBytes;

  private Slices(KeyRange range, long sliceBytes, ToLongFunction<KeyRange> sizeBytes) {
    this.sizeBytes = sizeBytes;
    this.sliceBytes = sliceBytes;
    this.begun = range.from();
  }

  /**
   * Returns the slices of the range, in order, together the range.
   *
   * @param sizeBytes tells about how much a range holds
   */
  static List<KeyRange> of(KeyRange range, long sliceBytes, ToLongFunction<KeyRange> sizeBytes) {
    Slices slices = new Slices(range, sliceBytes, sizeBytes);
    slices.halve(range);
    slices.slices.add(new KeyRange(slices.begun, range.until()));
    return slices.slices;
  }

  private void halve(KeyRange range) {
    long bytes = sizeBytes.applyAsLong(range);
    Optional<Bytes> middle = bytes > sliceBytes ? middle(range) : Optional.empty();
    if (middle.isPresent()) {
      halve(KeyRange.of(range.from(), middle.get()));
      halve(new KeyRange(middle.get(), range.until()));
    } else {
      append(range.from(), bytes);
    }
  }

  /** Takes a piece into the slice that is begun, or ends that one before it. */
  private void append(Bytes from, long bytes) {
    if (begunBytes > 0 && begunBytes + bytes > sliceBytes) {
      slices.add(KeyRange.of(begun, from));
      begun = from;
      begunBytes = 0;
    }
    begunBytes += bytes;
  }

  /** Returns a key about half way, or empty where the ends are too close. */
  private static Optional<Bytes> middle(KeyRange range) {
    byte[] from = range.from().toArrayUnsafe();
    byte[] until = range.until().map(Bytes::toArrayUnsafe).orElse(null);
    int common = until == null ? 0 : Math.max(0, Arrays.mismatch(from, until));
    long low = digits(from, common);
    long high = until == null ? -1 : digits(until, common);
    long half = low + ((high - low) >>> 1);
    if (half == low) {
      return Optional.empty();
    }
    byte[] middle = Arrays.copyOf(from, common + DIGITS);
    ByteBuffer.wrap(middle).putLong(common, half);
    return Optional.of(Bytes.wrap(middle));
  }

  private static long digits(byte[] key, int from) {
    byte[] digits = new byte[DIGITS];
    System.arraycopy(key, from, digits, 0, Math.min(DIGITS, key.length - from));
    return ByteBuffer.wrap(digits).getLong();
  }
}
