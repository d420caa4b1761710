package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * What a suite must compute before anything is encrypted with it: a cipher that computes wrongly
 * writes what nobody can read again, and one that loses the end of a value does so in silence.
 */
final class KnownAnswer {

  /** Longer than any buffer of a cipher, and no whole number of blocks. */
  private static final int LONG = 70_003;

  private final byte[] key;
  private final byte[] nonce;
  private final byte[] additional;
  private final byte[] plain;
  private final byte[] sealed;

  /** Creates the answer from hexadecimal digits; the tag ends what is sealed. */
  KnownAnswer(String key, String nonce, String additional, String plain, String sealed) {
    HexFormat hex = HexFormat.of();
    this.key = hex.parseHex(key);
    this.nonce = hex.parseHex(nonce);
    this.additional = hex.parseHex(additional);
    this.plain = hex.parseHex(plain);
    this.sealed = hex.parseHex(sealed);
  }

  /**
   * Returns the suite if it computes this answer, opens it again, refuses it with one bit changed,
   * and comes back from a long value.
   *
   * @throws IllegalStateException if it does not
   */
  SoftSuite prove(SoftSuite suite) {
    try (Aead aead = suite.aead(key)) {
      boolean holds =
          Arrays.equals(seal(aead, plain), sealed)
              && Arrays.equals(open(aead, sealed), plain)
              && !opens(aead, damaged())
              && comesBack(aead);
      if (!holds) {
        throw new IllegalStateException(
            suite.name() + " does not compute its known answer here; nothing may be encrypted");
      }
    }
    return suite;
  }

  private byte[] seal(Aead aead, byte[] text) {
    byte[] buffer = Arrays.copyOf(text, text.length + CipherSuite.TAG_BYTES);
    aead.seal(nonce, additional, buffer, 0, text.length);
    return buffer;
  }

  private byte[] open(Aead aead, byte[] bytes) {
    byte[] target = new byte[bytes.length - CipherSuite.TAG_BYTES];
    aead.open(nonce, additional, bytes, 0, bytes.length, target, 0);
    return target;
  }

  private boolean opens(Aead aead, byte[] bytes) {
    byte[] target = new byte[bytes.length - CipherSuite.TAG_BYTES];
    return aead.open(nonce, additional, bytes, 0, bytes.length, target, 0);
  }

  private byte[] damaged() {
    byte[] damaged = sealed.clone();
    damaged[damaged.length - 1] ^= 1;
    return damaged;
  }

  private boolean comesBack(Aead aead) {
    byte[] text = new byte[LONG];
    for (int i = 0; i < LONG; i++) {
      text[i] = (byte) (i * 31 + (i >> 8));
    }
    byte[] buffer = Arrays.copyOf(text, LONG + CipherSuite.TAG_BYTES);
    // Any other nonce: a cipher may refuse to seal with the same one twice.
    byte[] other = nonce.clone();
    other[0] ^= 1;
    aead.seal(other, additional, buffer, 0, LONG);
    byte[] target = new byte[LONG];
    return !Arrays.equals(buffer, 0, LONG, text, 0, LONG)
        && aead.open(other, additional, buffer, 0, buffer.length, target, 0)
        && Arrays.equals(target, text);
  }
}
