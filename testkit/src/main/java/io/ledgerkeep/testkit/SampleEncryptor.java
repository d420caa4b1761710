package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.error.IntegrityException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * An encryptor that needs no configuration, for tests: AES-128-GCM with random nonces under a key
 * made of a number that anybody can guess. It keeps the rules of {@link Encryptor}, but do not
 * protect anything with it.
 */
public final class SampleEncryptor implements Encryptor {

  private static final int NONCE_BYTES = 12;
  private static final int TAG_BYTES = 16;

  private final SecureRandom random = new SecureRandom();
  private final SecretKeySpec key;
  private volatile boolean closed;

  /** Creates an encryptor; those of equal numbers open what the others sealed. */
  public SampleEncryptor(long number) {
    key = new SecretKeySpec(ByteBuffer.allocate(16).putLong(8, number).array(), "AES");
  }

  @Override
  public Bytes seal(Context context, Bytes value) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    byte[] sealed = Arrays.copyOf(nonce, NONCE_BYTES + value.size() + TAG_BYTES);
    try {
      Cipher cipher = cipher(Cipher.ENCRYPT_MODE, nonce, context);
      byte[] plain = value.toArrayUnsafe();
      cipher.doFinal(plain, 0, plain.length, sealed, NONCE_BYTES);
      return Bytes.wrap(sealed);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("AES-GCM refused to seal", e);
    }
  }

  @Override
  public Bytes open(Context context, Bytes sealed) {
    byte[] bytes = sealed.toArrayUnsafe();
    if (bytes.length >= NONCE_BYTES + TAG_BYTES) {
      try {
        byte[] nonce = Arrays.copyOf(bytes, NONCE_BYTES);
        Cipher cipher = cipher(Cipher.DECRYPT_MODE, nonce, context);
        return Bytes.wrap(cipher.doFinal(bytes, NONCE_BYTES, bytes.length - NONCE_BYTES));
      } catch (AEADBadTagException e) {
        // told below, in the same words as what is too short
      } catch (GeneralSecurityException e) {
        throw new AssertionError("AES-GCM refused to open", e);
      }
    } else {
      checkOpen();
    }
    throw new IntegrityException(
        "a value of "
            + bytes.length
            + " bytes in '"
            + context.database()
            + "' was not sealed there under this key");
  }

  private Cipher cipher(int mode, byte[] nonce, Context context) throws GeneralSecurityException {
    checkOpen();
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * Byte.SIZE, nonce));
    cipher.updateAAD(bound(context));
    return cipher;
  }

  /** With its length before the name, no two contexts are bound as the same bytes. */
  private static byte[] bound(Context context) {
    byte[] database = context.database().getBytes(StandardCharsets.UTF_8);
    Bytes rowKey = context.key();
    return ByteBuffer.allocate(2 * Long.BYTES + Integer.BYTES + database.length + rowKey.size())
        .putLong(context.store().getMostSignificantBits())
        .putLong(context.store().getLeastSignificantBits())
        .putInt(database.length)
        .put(database)
        .put(rowKey.asBuffer())
        .array();
  }

  @Override
  public int overheadBytes() {
    checkOpen();
    return NONCE_BYTES + TAG_BYTES;
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the encryptor is closed");
    }
  }

  @Override
  public void close() {
    closed = true;
  }

  @Override
  public String toString() {
    return "SampleEncryptor";
  }
}
