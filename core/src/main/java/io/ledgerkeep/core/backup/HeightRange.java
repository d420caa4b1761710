package io.ledgerkeep.core.backup;

/**
 * Heights that follow one another.
 *
 * @param first the lowest
 * @param last the highest; below the first where there are none
 */
public record HeightRange(long first, long last) {

  /** No heights. */
  static final HeightRange NONE = new HeightRange(0, -1);

  /** Returns how many there are. */
  public long count() {
    return Math.max(0, last - first + 1);
  }

  boolean contains(long height) {
    return first <= height && height <= last;
  }
}
