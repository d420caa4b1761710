package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;

/**
 * Wraps secrets under a master key in memory: version ‖ salt ‖ sealed secret ‖ tag, as
 * docs/format.md has it.
 *
 * <p>The master key seals nothing itself. Each secret is sealed under a key of its own, derived
 * with a salt of 32 random bytes, so that nothing is ever sealed twice under one of them and the
 * nonce can be zero: a random nonce of 12 bytes under the master key would come twice much sooner
 * than such a salt.
 */
final class SoftKeyWrapper implements KeyWrapper {

  private static final byte VERSION = 1;
  private static final int SALT_BYTES = 32;
  private static final int HEAD_BYTES = 1 + SALT_BYTES;
  private static final byte[] LABEL =
      "ledgerkeep wrapped key 1".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] NONCE = new byte[CipherSuite.NONCE_BYTES];

  private final CipherSuite suite;
  private final String place;
  private final Optional<KeyFile> file;
  private final SecureRandom random;
  private final byte[] info;

  private final Object lock = new Object();

  /** Guarded by the lock, like what follows; wiped at the end. */
  private final byte[] master;

  private boolean confirmed;
  private boolean closed;

  /**
   * Creates the wrapper.
   *
   * @param master given away
   * @param file where the master key was read from, unless it was in the configuration
   */
  SoftKeyWrapper(
      byte[] master, CipherSuite suite, String place, Optional<KeyFile> file, SecureRandom random) {
    this.master = master;
    this.suite = suite;
    this.place = place;
    this.file = file;
    this.random = random;
    this.info =
        ByteBuffer.allocate(LABEL.length + Short.BYTES)
            .put(LABEL)
            .putShort((short) suite.id())
            .array();
  }

  @Override
  public String suite() {
    synchronized (lock) {
      checkOpen();
      return suite.name();
    }
  }

  @Override
  public String place() {
    synchronized (lock) {
      checkOpen();
      return place;
    }
  }

  @Override
  public byte[] wrap(byte[] secret, byte[] context) {
    synchronized (lock) {
      checkOpen();
      byte[] salt = new byte[SALT_BYTES];
      random.nextBytes(salt);
      byte[] wrapped = new byte[HEAD_BYTES + secret.length + CipherSuite.TAG_BYTES];
      wrapped[0] = VERSION;
      System.arraycopy(salt, 0, wrapped, 1, SALT_BYTES);
      boolean sealed = false;
      try (Aead aead = under(salt)) {
        System.arraycopy(secret, 0, wrapped, HEAD_BYTES, secret.length);
        aead.seal(NONCE, context, wrapped, HEAD_BYTES, secret.length);
        sealed = true;
        return wrapped;
      } finally {
        if (!sealed) {
          Arrays.fill(wrapped, (byte) 0);
        }
      }
    }
  }

  @Override
  public byte[] unwrap(byte[] wrapped, byte[] context) {
    synchronized (lock) {
      checkOpen();
      int length = wrapped.length - HEAD_BYTES;
      if (length < CipherSuite.TAG_BYTES || wrapped[0] != VERSION) {
        throw new KeyUnavailableException(
            Reason.WRONG,
            "these "
                + wrapped.length
                + " bytes are no key that was wrapped under the key in "
                + place
                + ": they were damaged, or a newer version wrote them");
      }
      byte[] secret = new byte[length - CipherSuite.TAG_BYTES];
      try (Aead aead = under(Arrays.copyOfRange(wrapped, 1, HEAD_BYTES))) {
        if (aead.open(NONCE, context, wrapped, HEAD_BYTES, length, secret, 0)) {
          return secret;
        }
      }
      throw new KeyUnavailableException(
          Reason.WRONG,
          "the key in "
              + place
              + " is not the one that a data key was wrapped under, or the wrapped"
              + " key was damaged: give the right one");
    }
  }

  private Aead under(byte[] salt) {
    byte[] key = suite.derive(master, salt, info, suite.keyBytes());
    try {
      return suite.aead(key);
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  @Override
  public void confirm() {
    synchronized (lock) {
      checkOpen();
      if (!confirmed) {
        file.ifPresent(origin -> origin.empty(master));
        confirmed = true;
      }
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the master key is closed");
    }
  }

  @Override
  public void close() {
    synchronized (lock) {
      closed = true;
      Arrays.fill(master, (byte) 0);
    }
  }

  @Override
  public String toString() {
    return "KeyWrapper[" + suite.name() + ", " + place + "]";
  }
}
