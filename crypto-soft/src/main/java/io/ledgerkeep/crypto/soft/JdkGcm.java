package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;

/** AES-GCM by the JVM. */
final class JdkGcm implements GcmCipher {

  private static final int TAG_BITS = CipherSuite.TAG_BYTES * Byte.SIZE;

  private final Cipher cipher;
  private final AesKey key;
  private final CurrentNonce current = new CurrentNonce();

  /**
   * One object for all values, since what is made for each is garbage after it.
   *
   * <p>The JVM keeps the array of the nonce that it sealed with last, to refuse the same once more.
   * So there are two arrays for sealing, which take turns, and one of its own for opening.
   */
  private static final class CurrentNonce extends GCMParameterSpec {

    private final byte[] opening = new byte[CipherSuite.NONCE_BYTES];
    private byte[] sealing = new byte[CipherSuite.NONCE_BYTES];
    private byte[] sealedBefore = new byte[CipherSuite.NONCE_BYTES];
    private byte[] shown = opening;

    CurrentNonce() {
      super(TAG_BITS, new byte[CipherSuite.NONCE_BYTES]);
    }

    CurrentNonce forSealing(byte[] nonce) {
      byte[] next = sealedBefore;
      sealedBefore = sealing;
      sealing = next;
      return show(next, nonce);
    }

    CurrentNonce forOpening(byte[] nonce) {
      return show(opening, nonce);
    }

    private CurrentNonce show(byte[] array, byte[] nonce) {
      System.arraycopy(nonce, 0, array, 0, CipherSuite.NONCE_BYTES);
      shown = array;
      return this;
    }

    @Override
    public byte[] getIV() {
      return shown;
    }
  }

  /** Creates the cipher under a key that is not copied here. */
  JdkGcm(byte[] key) {
    this.key = new AesKey(key);
    try {
      cipher = Cipher.getInstance("AES/GCM/NoPadding");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JVM has no AES/GCM/NoPadding", e);
    }
  }

  @Override
  public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
    try {
      // Anew for each value, with a nonce of its own: the JVM refuses to go on with the last one.
      cipher.init(Cipher.ENCRYPT_MODE, key, current.forSealing(nonce));
      cipher.updateAAD(additional);
      // In one call. Into the same place of the same array it needs no other array in between.
      cipher.doFinal(buffer, offset, length, buffer, offset);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the JVM's AES-GCM refused to seal: " + e.getMessage(), e);
    }
  }

  @Override
  public boolean open(
      byte[] nonce,
      byte[] additional,
      byte[] sealed,
      int offset,
      int length,
      byte[] target,
      int targetOffset) {
    try {
      cipher.init(Cipher.DECRYPT_MODE, key, current.forOpening(nonce));
      cipher.updateAAD(additional);
      cipher.doFinal(sealed, offset, length, target, targetOffset);
      return true;
    } catch (AEADBadTagException e) {
      int until = targetOffset + length - CipherSuite.TAG_BYTES;
      Arrays.fill(target, targetOffset, until, (byte) 0);
      return false;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the JVM's AES-GCM refused to open: " + e.getMessage(), e);
    }
  }

  /** A cipher keeps the last key it saw, and its schedule, until it sees another. */
  @Override
  public void close() {
    byte[] other = GcmCipher.throwAwayKey(key.length());
    byte[] nonce = new byte[CipherSuite.NONCE_BYTES];
    try {
      cipher.init(Cipher.ENCRYPT_MODE, new AesKey(other), new GCMParameterSpec(TAG_BITS, nonce));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the JVM's AES-GCM refused another key", e);
    }
  }
}
