package io.ledgerkeep.core.sealing;

import java.time.Duration;

/**
 * When an epoch ends, whichever comes first.
 *
 * @param values so many were sealed
 * @param bytes so many bytes were
 * @param age it is so old
 */
record EpochLimits(long values, long bytes, Duration age) {

  /**
   * NIST SP 800-38D allows 2^32 invocations; 2^46 bytes are 2^42 blocks, which leaves an attacker
   * 2^-44.
   */
  static final EpochLimits DEFAULT =
      new EpochLimits((1L << 32) - (1L << 20), 1L << 46, Duration.ofHours(24));
}
