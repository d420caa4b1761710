package io.ledgerkeep.core.sealing;

/**
 * How often may be sealed under a device's key.
 *
 * @param total so many calls in all
 * @param block so many are leased at once
 */
record CallLimits(long total, long block) {

  /**
   * NIST SP 800-38D allows 2^32 invocations with nonces that are as good as random; a block is a
   * quarter of a thousandth of them.
   */
  static final CallLimits DEFAULT = new CallLimits(1L << 32, 1L << 20);

  /** Returns whether a lease is the one that reaches the second half. */
  boolean isHalfReached(long used, long leased) {
    return used <= total / 2 && used + leased > total / 2;
  }
}
