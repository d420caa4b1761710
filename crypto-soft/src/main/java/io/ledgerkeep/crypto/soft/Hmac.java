package io.ledgerkeep.crypto.soft;

import java.util.Arrays;
import java.util.function.Supplier;

/**
 * HMAC (RFC 2104) over either hash. Not the JVM's, which has none over SM3, refuses the empty key
 * that HKDF has where there is no salt, and keeps copies of keys that nobody can wipe.
 */
final class Hmac implements AutoCloseable {

  private static final byte INNER = 0x36;
  private static final byte OUTER = 0x5C;

  private final Hash hash;
  private final byte[] pad;
  private boolean begun;

  Hmac(Supplier<Hash> hashes, byte[] key) {
    hash = hashes.get();
    pad = new byte[Hash.BLOCK_BYTES];
    if (key.length <= Hash.BLOCK_BYTES) {
      System.arraycopy(key, 0, pad, 0, key.length);
    } else {
      hash.update(key);
      byte[] shorter = hash.finish();
      System.arraycopy(shorter, 0, pad, 0, shorter.length);
      Arrays.fill(shorter, (byte) 0);
    }
  }

  /** Takes in the key, unless that was done: not before there is a text, for it takes time. */
  private void begin() {
    if (!begun) {
      mask(INNER);
      hash.update(pad);
      mask(INNER);
      begun = true;
    }
  }

  private void mask(byte mask) {
    for (int i = 0; i < pad.length; i++) {
      pad[i] ^= mask;
    }
  }

  Hmac update(byte[] data) {
    begin();
    hash.update(data);
    return this;
  }

  /** Returns the code of all that was taken in, and begins anew. */
  byte[] finish() {
    begin();
    byte[] inner = hash.finish();
    mask(OUTER);
    hash.update(pad);
    mask(OUTER);
    hash.update(inner);
    byte[] code = hash.finish();
    Arrays.fill(inner, (byte) 0);
    begun = false;
    return code;
  }

  /** Wipes the key; the state of the hash, made of it, is overwritten with that of nothing. */
  @Override
  public void close() {
    Arrays.fill(pad, (byte) 0);
    hash.finish();
  }
}
