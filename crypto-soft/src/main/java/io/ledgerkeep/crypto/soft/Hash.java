package io.ledgerkeep.crypto.soft;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bouncycastle.crypto.digests.SM3Digest;

/** A hash of 32 bytes over blocks of 64: SHA-256 and SM3 are alike in that. */
interface Hash {

  /** The length of a hash. */
  int BYTES = 32;

  /** The length of the blocks that it works on. */
  int BLOCK_BYTES = 64;

  /** Takes in more. */
  void update(byte[] data);

  /** Returns the hash of all that was taken in, and begins anew. */
  byte[] finish();

  /** Returns SHA-256 by the JVM. */
  static Hash sha256() {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
    return new Hash() {
      @Override
      public void update(byte[] data) {
        digest.update(data);
      }

      @Override
      public byte[] finish() {
        return digest.digest();
      }
    };
  }

  /** Returns SM3 by Bouncy Castle. */
  static Hash sm3() {
    SM3Digest digest = new SM3Digest();
    return new Hash() {
      @Override
      public void update(byte[] data) {
        digest.update(data, 0, data.length);
      }

      @Override
      public byte[] finish() {
        byte[] hash = new byte[BYTES];
        digest.doFinal(hash, 0);
        return hash;
      }
    };
  }
}
