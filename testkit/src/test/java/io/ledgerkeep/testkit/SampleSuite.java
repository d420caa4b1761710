package io.ledgerkeep.testkit;

import io.ledgerkeep.encryption.CipherSuite;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** A sound suite, AES-128-GCM with SHA-256, for others to break. */
class SampleSuite implements CipherSuite {

  @Override
  public int id() {
    return 1;
  }

  @Override
  public String name() {
    return "SAMPLE";
  }

  @Override
  public int keyBytes() {
    return 16;
  }

  @Override
  public Aead aead(byte[] key) {
    return new SampleAead(key);
  }

  @Override
  public byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
    byte[] extracted = mac(salt, secret);
    byte[] derived = new byte[bytes];
    byte[] block = new byte[0];
    for (int at = 0, number = 1; at < bytes; at += block.length, number++) {
      byte[] data = Arrays.copyOf(block, block.length + info.length + 1);
      System.arraycopy(info, 0, data, block.length, info.length);
      data[data.length - 1] = (byte) number;
      block = mac(extracted, data);
      System.arraycopy(block, 0, derived, at, Math.min(block.length, bytes - at));
    }
    return derived;
  }

  @Override
  public byte[] mac(byte[] key, byte[] data) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key.length == 0 ? new byte[1] : key, "HmacSHA256"));
      return mac.doFinal(data);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  static byte[] sha256(byte[] data) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(data);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** A sound cipher, for others to break. */
  static class SampleAead implements Aead {

    private final SecretKeySpec key;
    private volatile boolean closed;

    SampleAead(byte[] key) {
      this.key = new SecretKeySpec(key, "AES");
    }

    @Override
    public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
      try {
        cipher(Cipher.ENCRYPT_MODE, nonce, additional)
            .doFinal(buffer, offset, length, buffer, offset);
      } catch (GeneralSecurityException e) {
        throw new AssertionError(e);
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
        Cipher cipher = cipher(Cipher.DECRYPT_MODE, nonce, additional);
        if (length < TAG_BYTES) {
          return false;
        }
        byte[] text = cipher.doFinal(sealed, offset, length);
        System.arraycopy(text, 0, target, targetOffset, text.length);
        return true;
      } catch (AEADBadTagException e) {
        return false;
      } catch (GeneralSecurityException e) {
        throw new AssertionError(e);
      }
    }

    private Cipher cipher(int mode, byte[] nonce, byte[] additional)
        throws GeneralSecurityException {
      if (closed) {
        throw new IllegalStateException("closed");
      }
      Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
      cipher.init(mode, key, new GCMParameterSpec(128, nonce));
      cipher.updateAAD(additional);
      return cipher;
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
