package io.ledgerkeep.crypto.soft;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;

/** What can be said against a key by looking at it. */
final class KeyStrength {

  /** The keys that documents show: whoever copies one from there shares it with everybody. */
  private static final List<byte[]> SAMPLES =
      List.of(
          ascii("1234567890123456"),
          HexFormat.of().parseHex("48656c6c6f20436861696e4d616b6572"),
          ascii("0H#y EGXPOAScAnB"));

  /** Fewer different bytes than that are not in 16 random ones, but for one in a billion. */
  private static final int FEW_DIFFERENT = 8;

  /** About what an attacker with many machines can try. */
  private static final double FEW_BITS = 90;

  private KeyStrength() {}

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  static boolean isSample(byte[] key) {
    boolean found = false;
    for (byte[] sample : SAMPLES) {
      found |= MessageDigest.isEqual(sample, key);
    }
    return found;
  }

  /**
   * Returns whether the key is easily guessed: few different bytes, or text of few kinds of
   * characters. A text that passes may still be a poor key; none that fails is a good one.
   */
  static boolean isWeak(byte[] key) {
    BitSet different = new BitSet();
    BitSet kinds = new BitSet();
    for (byte b : key) {
      different.set(b & 0xFF);
      kinds.set(kind(b));
    }
    if (different.cardinality() < FEW_DIFFERENT) {
      return true;
    }
    int alphabet = kinds.stream().map(kind -> SIZES[kind]).sum();
    return key.length * (Math.log(alphabet) / Math.log(2)) < FEW_BITS;
  }

  /**
   * How many characters there are of each kind: digits, small and capital letters, signs, bytes.
   */
  private static final int[] SIZES = {10, 26, 26, 33, 256};

  private static int kind(byte b) {
    if (b >= '0' && b <= '9') {
      return 0;
    }
    if (b >= 'a' && b <= 'z') {
      return 1;
    }
    if (b >= 'A' && b <= 'Z') {
      return 2;
    }
    return b >= ' ' && b <= '~' ? 3 : 4;
  }
}
