package io.ledgerkeep.core.segment;

import java.util.Arrays;

/**
 * Collects the entries of a locator and sorts them: the fingerprint as an unsigned number, then the
 * ordinal. For one thread.
 */
final class Locator {

  /** Makes the signed order of entries the unsigned one. */
  private static final long FLIP = Long.MIN_VALUE;

  private long[] entries = new long[1024];
  private int size;

  void add(int fingerprint, int ordinal) {
    if (size == entries.length) {
      entries = Arrays.copyOf(entries, size * 2);
    }
    entries[size++] = ((long) fingerprint << 32 | ordinal) ^ FLIP;
  }

  /** Returns the sorted entries, eight bytes each. */
  long[] sorted() {
    long[] sorted = Arrays.copyOf(entries, size);
    Arrays.sort(sorted);
    for (int i = 0; i < size; i++) {
      sorted[i] ^= FLIP;
    }
    return sorted;
  }
}
