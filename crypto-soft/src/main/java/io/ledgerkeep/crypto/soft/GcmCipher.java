package io.ledgerkeep.crypto.soft;

import java.util.concurrent.ThreadLocalRandom;

/**
 * GCM under one key, for one thread at a time. Who calls has checked the arguments: a nonce of 12
 * bytes, ranges that lie in their arrays, room for the tag.
 */
interface GcmCipher extends AutoCloseable {

  /** Seals the bytes in place and writes the tag behind them. */
  void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length);

  /** Opens bytes that end with their tag; false, and nothing left in the target, if it is wrong. */
  boolean open(
      byte[] nonce,
      byte[] additional,
      byte[] sealed,
      int offset,
      int length,
      byte[] target,
      int targetOffset);

  /** Makes the cipher forget its key as far as it can be reached. */
  @Override
  void close();

  /**
   * Returns a key of no use, to take the place of the key in a cipher that is given up. It protects
   * nothing; it is random so that it is never the key itself.
   */
  static byte[] throwAwayKey(int bytes) {
    byte[] key = new byte[bytes];
    ThreadLocalRandom.current().nextBytes(key);
    return key;
  }
}
