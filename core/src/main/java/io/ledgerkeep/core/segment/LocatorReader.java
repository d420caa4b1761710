package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** Looks fingerprints up in one of the two locators of a segment. */
final class LocatorReader {

  /** How far an entry is from where it should be by its fingerprint, hardly ever more. */
  private static final int NEAR_ENTRIES = 2048;

  private final String segment;
  private final Stream stream;
  private final FrameTable table;
  private final IntFunction<Bytes> frames;
  private final long entries;

  /**
   * Creates a reader.
   *
   * @param frames returns the decoded frame at a place in the file
   */
  LocatorReader(String segment, Stream stream, FrameTable table, IntFunction<Bytes> frames) {
    this.segment = segment;
    this.stream = stream;
    this.table = table;
    this.frames = frames;
    this.entries = table.rawBytes(stream) / SegmentFormat.LOCATOR_ENTRY_BYTES;
  }

  /** Returns the ordinals of all entries with the fingerprint. */
  List<Integer> find(int fingerprint) {
    if (entries == 0) {
      return List.of();
    }
    long wanted = Integer.toUnsignedLong(fingerprint);
    List<Integer> ordinals = new ArrayList<>();
    for (long i = lowerBound(wanted); i < entries && fingerprintAt(i) == wanted; i++) {
      long ordinal = entry(i) & 0xFFFF_FFFFL;
      if (ordinal >= entries) {
        throw SegmentFormat.damaged(segment, "the " + stream.label() + " names what is not there");
      }
      ordinals.add((int) ordinal);
    }
    return ordinals;
  }

  /**
   * Returns the first entry whose fingerprint is the one wanted or above. Fingerprints are spread
   * evenly, so the search begins where the entry should be and reads one frame or two.
   */
  private long lowerBound(long wanted) {
    long guess = Math.min(entries - 1, (wanted * entries) >>> 32);
    long low = guess;
    for (long step = NEAR_ENTRIES; low > 0 && fingerprintAt(low) >= wanted; step *= 2) {
      low = Math.max(0, low - step);
    }
    long high = guess;
    for (long step = NEAR_ENTRIES; high < entries && fingerprintAt(high) < wanted; step *= 2) {
      high = Math.min(entries, high + step);
    }
    while (low < high) {
      long middle = (low + high) >>> 1;
      if (fingerprintAt(middle) < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private long fingerprintAt(long index) {
    return entry(index) >>> 32;
  }

  private long entry(long index) {
    long at = index * SegmentFormat.LOCATOR_ENTRY_BYTES;
    Bytes frame = frames.apply(table.frame(stream, (int) (at >> SegmentFormat.FRAME_SHIFT)));
    int within = (int) at & (SegmentFormat.FRAME_BYTES - 1);
    Bytes entry = frame.slice(within, within + SegmentFormat.LOCATOR_ENTRY_BYTES);
    return new ByteReader(entry, "the " + stream.label() + " of segment " + segment).u64();
  }
}
