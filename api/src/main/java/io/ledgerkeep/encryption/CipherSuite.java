package io.ledgerkeep.encryption;

import io.ledgerkeep.error.KeyUnavailableException;

/**
 * An authenticated cipher with 96-bit nonces, and the hash that goes with it.
 *
 * <p>A suite is a property of a key: it is bound into every key derived for it and never read from
 * what was sealed. Holds no state, serves any number of threads; one that seals inside of a device
 * ({@link KeyWrapper.Direct}) holds the way there. It keeps these rules; the contract test of the
 * testkit has a test named after each.
 *
 * <ol>
 *   <li>The same inputs give the same bytes, on every machine and in every version. Only a device
 *       that draws nonces of its own may seal otherwise each time.
 *   <li>{@link Aead#open} gives back what {@link Aead#seal} took, and refuses it where a byte of
 *       key, nonce, additional data, text or tag differs.
 *   <li>{@link #derive} is HKDF (RFC 5869), {@link #mac} is HMAC (RFC 2104), both with the hash of
 *       the suite.
 *   <li>Arrays handed in are not kept, and not changed but where it is said.
 *   <li>An {@link Aead} serves any number of threads. After {@link Aead#close} its methods throw
 *       {@link IllegalStateException}; closing twice does nothing.
 *   <li>{@link #sealedBytes} says how long the sealed text is, exactly: longer than the text by
 *       {@link #TAG_BYTES} at least, never shorter for a longer text, never longer than what two
 *       parts of the text take together, and at most twice the text and 1 KiB. {@link #openedBytes}
 *       gives the length of the text back; of bytes that were never sealed it says anything up to
 *       their number less {@link #TAG_BYTES}, and never throws.
 * </ol>
 */
public interface CipherSuite {

  /** The length of every nonce. */
  int NONCE_BYTES = 12;

  /** The length of a tag, by which a sealed text is longer than the text, at least. */
  int TAG_BYTES = 16;

  /** The length of a {@link #mac}. */
  int MAC_BYTES = 32;

  /** Returns the number that stands for the suite in stored formats, 1 to 65535; never reused. */
  int id();

  /** Returns the name for people: {@code AES-256-GCM}. */
  String name();

  /** Returns the length of a key in bytes. */
  int keyBytes();

  /** Returns how long a text of that many bytes is once it is sealed. */
  default int sealedBytes(int length) {
    return length + TAG_BYTES;
  }

  /**
   * Returns how long the text is that was sealed, as what was sealed says before it is opened;
   * negative where nothing sealed is like that.
   */
  default int openedBytes(byte[] sealedText, int offset, int length) {
    return length - TAG_BYTES;
  }

  /** Returns the cipher under a key, which is copied. No device is asked for it. */
  Aead aead(byte[] key);

  /** Returns so many bytes derived from a secret, a salt and what they are for. */
  byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes);

  /** Returns the authentication code of the data, {@link #MAC_BYTES} long. */
  byte[] mac(byte[] key, byte[] data);

  /** A cipher under one key. The caller never uses a nonce twice for sealing. */
  interface Aead extends AutoCloseable {

    /**
     * Seals {@code length} bytes of the buffer in place, from the offset on: there lie {@link
     * #sealedBytes} of them on return.
     *
     * @param additional what is not sealed but bound
     * @throws KeyUnavailableException if a device is needed and does not answer, or its key is used
     *     up; what is in the buffer is not to be used
     */
    void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length);

    /**
     * Opens {@code length} bytes into the target, which has room for as many as {@link
     * #openedBytes} says. Returns whether they were sealed so; where they were not, nothing in the
     * target is to be used.
     *
     * @throws KeyUnavailableException if a device is needed and does not answer
     */
    boolean open(
        byte[] nonce,
        byte[] additional,
        byte[] sealed,
        int offset,
        int length,
        byte[] target,
        int targetOffset);

    /** Forgets the key as far as it can be reached; closing twice does nothing. */
    @Override
    void close();
  }
}
