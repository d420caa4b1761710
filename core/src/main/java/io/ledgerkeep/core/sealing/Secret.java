package io.ledgerkeep.core.sealing;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.security.SecureRandom;
import java.util.Arrays;

/** Bytes that are wiped when they are closed, and never printed. */
final class Secret implements AutoCloseable {

  /** The length of every secret that keys are derived from, whatever the length of the keys. */
  static final int BYTES = 32;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final byte[] bytes;

  /** Takes the bytes over. */
  Secret(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Returns a fresh secret. */
  static Secret random() {
    return new Secret(randomBytes());
  }

  /** Returns as many random bytes that are no secret: a salt. */
  static byte[] randomBytes() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  /** Returns the cipher whose key is the first bytes of what was derived. */
  static Aead aead(CipherSuite suite, byte[] derived) {
    byte[] key = Arrays.copyOf(derived, suite.keyBytes());
    try {
      return suite.aead(key);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  /** Returns the bytes themselves, for whoever derives or wraps. */
  byte[] bytes() {
    return bytes;
  }

  /** Wipes the bytes; closing twice does nothing. */
  @Override
  public void close() {
    Arrays.fill(bytes, (byte) 0);
  }

  @Override
  public String toString() {
    return "secret";
  }
}
