package io.ledgerkeep.encryption;

import io.ledgerkeep.error.KeyUnavailableException;

/**
 * Wraps secrets under a master key that never leaves it.
 *
 * <p>A wrapper keeps these rules; the contract test of the testkit has a test named after each.
 *
 * <ol>
 *   <li>{@link #unwrap} returns exactly the secret that was wrapped under the same master key and
 *       context, also by another wrapper of that key, and after any restart.
 *   <li>A wrapped secret of which any byte was changed, cut off or added is refused with {@link
 *       KeyUnavailableException}, reason {@link KeyUnavailableException.Reason#WRONG}; so is one
 *       wrapped under another master key or context.
 *   <li>Wrapping the same secret twice gives different bytes.
 *   <li>The arrays handed in are neither changed nor kept; the secret returned is the caller's to
 *       wipe.
 *   <li>The wrapper serves any number of threads. After {@link #close} its methods throw {@link
 *       IllegalStateException}; closing twice does nothing.
 *   <li>No message, and no {@code toString}, holds a byte of the master key or of a secret.
 * </ol>
 */
public interface KeyWrapper extends AutoCloseable {

  /**
   * Returns the name of the {@link CipherSuite} that new data keys under this master key are for.
   */
  String suite();

  /** Returns where the master key lies, for messages; no secrets. */
  String place();

  /**
   * Returns the wrapped secret.
   *
   * @param context what it is bound to
   * @throws KeyUnavailableException if the master key cannot be reached
   */
  byte[] wrap(byte[] secret, byte[] context);

  /**
   * Returns the secret.
   *
   * @throws KeyUnavailableException if the master key cannot be reached, or is not the one
   */
  byte[] unwrap(byte[] wrapped, byte[] context);

  /**
   * Is called once everything that needs the master key was opened under it, and synced where it is
   * new: a key file is emptied now, never before.
   *
   * @throws KeyUnavailableException if the key file could not be emptied
   */
  void confirm();

  /** Wipes the master key as far as it can be reached; closing twice does nothing. */
  @Override
  void close();
}
