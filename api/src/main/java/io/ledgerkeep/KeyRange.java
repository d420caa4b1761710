package io.ledgerkeep;

import java.util.Optional;

/**
 * A half-open range of keys in unsigned byte order: {@code from} belongs to it, {@code until} does
 * not; without {@code until} it has no upper end.
 */
public record KeyRange(Bytes from, Optional<Bytes> until) {

  private static final KeyRange ALL = new KeyRange(Bytes.EMPTY, Optional.empty());

  /** Checks that the range does not end before it begins. */
  public KeyRange {
    if (until.isPresent() && from.compareTo(until.get()) > 0) {
      throw new IllegalArgumentException("a range must not end before it begins");
    }
  }

  /** Returns the range of all keys. */
  public static KeyRange all() {
    return ALL;
  }

  /** Returns the range of the keys at or above {@code from}. */
  public static KeyRange atLeast(Bytes from) {
    return new KeyRange(from, Optional.empty());
  }

  /** Returns the range from {@code from} until {@code until}, which does not belong to it. */
  public static KeyRange of(Bytes from, Bytes until) {
    return new KeyRange(from, Optional.of(until));
  }

  /** Returns the range of the keys that begin with the prefix. */
  public static KeyRange prefix(Bytes prefix) {
    return new KeyRange(prefix, successor(prefix));
  }

  /** Returns whether the key belongs to the range. */
  public boolean contains(Bytes key) {
    return key.compareTo(from) >= 0 && (until.isEmpty() || key.compareTo(until.get()) < 0);
  }

  /** Returns the least key above all keys with the prefix; none exists above 0xFF bytes. */
  private static Optional<Bytes> successor(Bytes prefix) {
    byte[] bytes = prefix.toArray();
    for (int i = bytes.length - 1; i >= 0; i--) {
      if (bytes[i] != (byte) 0xFF) {
        bytes[i]++;
        return Optional.of(Bytes.wrap(bytes, 0, i + 1));
      }
    }
    return Optional.empty();
  }
}
