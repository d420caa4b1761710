package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Seals and opens the frames of one segment, each under a nonce of its own. Serves any number of
 * threads.
 *
 * <p>The cipher is made when it is needed. Closing gives it up, not the key: readers of segments
 * come and go without an end, and who is still reading gets another one.
 */
public final class SegmentKey implements AutoCloseable {

  /** The length of a {@link #salt}. */
  public static final int SALT_BYTES = Secret.BYTES;

  /** The length of a {@link #commitment}. */
  public static final int COMMITMENT_BYTES = 32;

  private final ArchiveKey archive;
  private final Bytes identity;
  private final Bytes salt;
  private final Bytes baseNonce;
  private final Bytes commitment;

  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** Guarded by the lock: read and used under either, changed under that for writing. */
  private @Nullable Aead aead;

  SegmentKey(ArchiveKey archive, Bytes identity, Bytes salt) {
    this.archive = archive;
    this.identity = identity;
    this.salt = salt;
    byte[] material = material();
    try {
      int nonceAt = archive.suite().keyBytes();
      int commitmentAt = nonceAt + CipherSuite.NONCE_BYTES;
      baseNonce = Bytes.copyOf(Arrays.copyOfRange(material, nonceAt, commitmentAt));
      commitment = Bytes.copyOf(Arrays.copyOfRange(material, commitmentAt, material.length));
    } finally {
      Arrays.fill(material, (byte) 0);
    }
  }

  private byte[] material() {
    return archive.segmentMaterial(
        identity, salt, archive.suite().keyBytes() + CipherSuite.NONCE_BYTES + COMMITMENT_BYTES);
  }

  /** Returns the number of the archive key. */
  public int number() {
    return archive.number();
  }

  /** Returns the salt that the key was derived with. */
  public Bytes salt() {
    return salt;
  }

  /** Returns what no other key has, and tells nothing of this one. */
  public Bytes commitment() {
    return commitment;
  }

  /** Returns how long so many bytes are once they are sealed. */
  public int sealedBytes(int length) {
    return archive.suite().sealedBytes(length);
  }

  /**
   * Seals bytes of the buffer in place, which has room for {@link #sealedBytes} of them.
   *
   * @param frame the number of the frame, never used for two
   * @param bound what is bound to the bytes
   */
  public void seal(int frame, Bytes bound, byte[] buffer, int offset, int length) {
    byte[] nonce = nonce(frame);
    withCipher(
        cipher -> {
          cipher.seal(nonce, bound.toArrayUnsafe(), buffer, offset, length);
          return buffer;
        });
  }

  /** Returns what was sealed, or empty where it was not sealed so. */
  public Optional<byte[]> open(int frame, Bytes bound, byte[] stored, int offset, int length) {
    byte[] nonce = nonce(frame);
    return withCipher(cipher -> open(cipher, nonce, bound, stored, offset, length));
  }

  private Optional<byte[]> open(
      Aead cipher, byte[] nonce, Bytes bound, byte[] stored, int offset, int length) {
    int size = archive.suite().openedBytes(stored, offset, length);
    byte[] opened = new byte[Math.max(0, size)];
    return size >= 0 && cipher.open(nonce, bound.toArrayUnsafe(), stored, offset, length, opened, 0)
        ? Optional.of(opened)
        : Optional.empty();
  }

  /** Returns the nonce of a frame: different numbers give different nonces. */
  byte[] nonce(int frame) {
    byte[] nonce = baseNonce.toArray();
    for (int i = 0; i < Integer.BYTES; i++) {
      nonce[CipherSuite.NONCE_BYTES - 1 - i] ^= (byte) (frame >>> (8 * i));
    }
    return nonce;
  }

  /** Uses the cipher, which nobody gives up meanwhile. */
  private <T> T withCipher(Function<Aead, T> use) {
    while (true) {
      announceUse();
      lock.readLock().lock();
      try {
        if (aead != null) {
          return use.apply(aead);
        }
      } finally {
        lock.readLock().unlock();
      }
      make();
    }
  }

  /** Whoever closed the archive key meanwhile may have missed a cipher just made. */
  private void announceUse() {
    try {
      archive.use(this);
    } catch (IllegalStateException e) {
      close();
      throw e;
    }
  }

  /**
   * Whoever closes the archive key wipes the ciphers in use and waits for this lock; one that is
   * out of use by now would be left over.
   */
  private void make() {
    lock.writeLock().lock();
    try {
      if (aead == null) {
        Aead made = cipher();
        if (archive.isInUse(this)) {
          aead = made;
        } else {
          made.close();
        }
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  private Aead cipher() {
    byte[] material = material();
    byte[] key = Arrays.copyOf(material, archive.suite().keyBytes());
    try {
      return archive.suite().aead(key);
    } finally {
      Arrays.fill(material, (byte) 0);
      Arrays.fill(key, (byte) 0);
    }
  }

  /** Gives the cipher up, as far as it can be reached; closing twice does nothing. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (aead != null) {
        aead.close();
        aead = null;
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public String toString() {
    return "key of a segment under " + archive;
  }
}
