package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A cipher for any number of threads: a few of those that serve one thread each.
 *
 * <p>Few, since each holds copies of the key; and not one for each thread, since those of a thread
 * that ended, or of a key that was given up, could not be reached to make them forget it. More than
 * there are processors would not seal faster.
 */
final class PooledAead implements Aead {

  private static final int PLACES =
      Math.max(1, Math.min(16, Runtime.getRuntime().availableProcessors()));

  private final byte[] key;
  private final Function<byte[], GcmCipher> maker;
  private final Place[] places = new Place[PLACES];
  private volatile boolean closed;

  /**
   * Creates the cipher.
   *
   * @param key given away: it is wiped at the end
   * @param maker makes a cipher under the key, which it must not change
   */
  PooledAead(byte[] key, Function<byte[], GcmCipher> maker) {
    this.key = key;
    this.maker = maker;
    Arrays.setAll(places, i -> new Place());
  }

  /** Holds one cipher, made when it is first needed. */
  private static final class Place extends ReentrantLock {

    /** Guarded by the lock. */
    private transient @Nullable GcmCipher cipher;
  }

  @Override
  public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
    checkNonce(nonce);
    Objects.checkFromIndexSize(offset, length, buffer.length);
    Objects.checkFromIndexSize(offset + length, CipherSuite.TAG_BYTES, buffer.length);
    Place place = occupy();
    try {
      cipherAt(place).seal(nonce, additional, buffer, offset, length);
    } finally {
      place.unlock();
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
    checkNonce(nonce);
    Objects.checkFromIndexSize(offset, length, sealed.length);
    int opened = Math.max(0, length - CipherSuite.TAG_BYTES);
    Objects.checkFromIndexSize(targetOffset, opened, target.length);
    Place place = occupy();
    try {
      GcmCipher cipher = cipherAt(place);
      return length >= CipherSuite.TAG_BYTES
          && cipher.open(nonce, additional, sealed, offset, length, target, targetOffset);
    } finally {
      place.unlock();
    }
  }

  private static void checkNonce(byte[] nonce) {
    if (nonce.length != CipherSuite.NONCE_BYTES) {
      throw new IllegalArgumentException(
          "a nonce has " + CipherSuite.NONCE_BYTES + " bytes, not " + nonce.length);
    }
  }

  /** Locks a place that is free, else waits for the thread's own. */
  private Place occupy() {
    int own = (int) (Thread.currentThread().getId() % PLACES);
    for (int i = 0; i < PLACES; i++) {
      Place place = places[(own + i) % PLACES];
      if (place.tryLock()) {
        return place;
      }
    }
    places[own].lock();
    return places[own];
  }

  private GcmCipher cipherAt(Place place) {
    if (closed) {
      throw new IllegalStateException("the cipher is closed");
    }
    GcmCipher cipher = place.cipher;
    if (cipher == null) {
      cipher = maker.apply(key);
      place.cipher = cipher;
    }
    return cipher;
  }

  @Override
  public void close() {
    closed = true;
    for (Place place : places) {
      place.lock();
      try {
        if (place.cipher != null) {
          place.cipher.close();
          place.cipher = null;
        }
      } finally {
        place.unlock();
      }
    }
    Arrays.fill(key, (byte) 0);
  }

  @Override
  public String toString() {
    return "Aead[closed=" + closed + "]";
  }
}
