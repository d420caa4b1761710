package io.ledgerkeep.encryption;

/**
 * An authenticated cipher with 96-bit nonces and 128-bit tags, and the hash that goes with it.
 *
 * <p>A suite is a property of a key: it is bound into every key derived for it and never read from
 * what was sealed. Holds no state, serves any number of threads. It keeps these rules; the contract
 * test of the testkit has a test named after each.
 *
 * <ol>
 *   <li>The same inputs give the same bytes, on every machine and in every version.
 *   <li>{@link Aead#open} gives back what {@link Aead#seal} took, and refuses it where a byte of
 *       key, nonce, additional data, text or tag differs.
 *   <li>{@link #derive} is HKDF (RFC 5869), {@link #mac} is HMAC (RFC 2104), both with the hash of
 *       the suite.
 *   <li>Arrays handed in are not kept, and not changed but where it is said.
 *   <li>An {@link Aead} serves any number of threads. After {@link Aead#close} its methods throw
 *       {@link IllegalStateException}; closing twice does nothing.
 * </ol>
 */
public interface CipherSuite {

  /** The length of every nonce. */
  int NONCE_BYTES = 12;

  /** The length of every tag. */
  int TAG_BYTES = 16;

  /** The length of a {@link #mac}. */
  int MAC_BYTES = 32;

  /** Returns the number that stands for the suite in stored formats, 1 to 65535; never reused. */
  int id();

  /** Returns the name for people: {@code AES-256-GCM}. */
  String name();

  /** Returns the length of a key in bytes. */
  int keyBytes();

  /** Returns the cipher under a key, which is copied. */
  Aead aead(byte[] key);

  /** Returns so many bytes derived from a secret, a salt and what they are for. */
  byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes);

  /** Returns the authentication code of the data, {@link #MAC_BYTES} long. */
  byte[] mac(byte[] key, byte[] data);

  /** A cipher under one key. The caller never uses a nonce twice for sealing. */
  interface Aead extends AutoCloseable {

    /**
     * Seals {@code length} bytes of the buffer in place, from the offset on, and writes the tag of
     * {@link #TAG_BYTES} right after them.
     *
     * @param additional what is not sealed but bound
     */
    void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length);

    /**
     * Opens {@code length} bytes, tag included, into the target. Returns whether the tag fits;
     * where it does not, nothing in the target is to be used.
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
