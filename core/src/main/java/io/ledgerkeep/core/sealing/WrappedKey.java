package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import java.security.SecureRandom;

/**
 * An archive key as one of its holders keeps it: under that holder's master key.
 *
 * @param number the number of the archive key
 * @param suite the name of its suite
 * @param holder tells the holder from others
 * @param wrapped the root secret under the master key
 */
public record WrappedKey(int number, String suite, Bytes holder, Bytes wrapped) {

  /** The length of the identity of a holder. */
  public static final int HOLDER_BYTES = 16;

  private static final SecureRandom RANDOM = new SecureRandom();

  static Bytes newHolder() {
    byte[] holder = new byte[HOLDER_BYTES];
    RANDOM.nextBytes(holder);
    return Bytes.wrap(holder);
  }
}
