package io.ledgerkeep.crypto.soft;

import java.util.Arrays;
import java.util.function.Supplier;

/** HKDF (RFC 5869) over either hash. */
final class Hkdf {

  private static final int MOST = 255 * Hash.BYTES;

  private Hkdf() {}

  static byte[] derive(Supplier<Hash> hash, byte[] secret, byte[] salt, byte[] info, int bytes) {
    if (bytes < 1 || bytes > MOST) {
      throw new IllegalArgumentException("HKDF gives 1 to " + MOST + " bytes, not " + bytes);
    }
    byte[] extracted = extract(hash, secret, salt);
    try {
      return expand(hash, extracted, info, bytes);
    } finally {
      Arrays.fill(extracted, (byte) 0);
    }
  }

  private static byte[] extract(Supplier<Hash> hash, byte[] secret, byte[] salt) {
    try (Hmac hmac = new Hmac(hash, salt)) {
      return hmac.update(secret).finish();
    }
  }

  private static byte[] expand(Supplier<Hash> hash, byte[] extracted, byte[] info, int bytes) {
    byte[] derived = new byte[bytes];
    byte[] block = new byte[0];
    try (Hmac hmac = new Hmac(hash, extracted)) {
      for (int at = 0, number = 1; at < bytes; at += Hash.BYTES, number++) {
        byte[] next = hmac.update(block).update(info).update(new byte[] {(byte) number}).finish();
        Arrays.fill(block, (byte) 0);
        block = next;
        System.arraycopy(block, 0, derived, at, Math.min(Hash.BYTES, bytes - at));
      }
    }
    Arrays.fill(block, (byte) 0);
    return derived;
  }
}
