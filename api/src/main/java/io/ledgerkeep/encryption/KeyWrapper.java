package io.ledgerkeep.encryption;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.KeyUnavailableException;
import java.util.Optional;

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
 *   <li>What {@link #openDirect} opens has the length of keys, {@link CipherSuite#derive} and
 *       {@link CipherSuite#mac} of the suite that {@link #suite} names, under a number of its own
 *       and a name of its own, which ends with {@code -DIRECT}. It opens what was sealed in the
 *       same device's key before, by whichever wrapper, and nothing else. It serves also when the
 *       wrapper is closed, until it is closed itself; then its ciphers throw {@link
 *       IllegalStateException}.
 *   <li>Every call by which it seals in the device was counted before it is made, by {@link
 *       Calls#take}, and none is made that was refused there. Whoever counts holds nothing
 *       meanwhile that another call may wait for, neither a lock nor a session of the device.
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
   * Opens what seals values in the device that has the master key, so that no key of theirs is ever
   * outside of it. The caller closes it, and may ask for another. Empty where values are sealed
   * under keys in memory: in software, and with a device that only wraps those.
   *
   * @param calls counts what is sealed
   * @throws KeyUnavailableException if the device cannot be reached
   */
  default Optional<Direct> openDirect(Calls calls) {
    return Optional.empty();
  }

  /** Seals values in a device, under a key that never leaves it. Serves any number of threads. */
  interface Direct extends AutoCloseable {

    /**
     * Returns the suite that seals in the device. What is derived for it is no secret there: it
     * only tells what belongs together.
     */
    CipherSuite suite();

    /**
     * Returns whether archives are sealed so too, or else under keys in memory, with the suite that
     * {@link KeyWrapper#suite} names.
     */
    boolean archives();

    /** Returns what tells the key in the device from others, 32 bytes; no secret. */
    Bytes identity();

    /** Lets go of the device; closing twice does nothing. */
    @Override
    void close();
  }

  /**
   * Counts the calls that seal under a device's key, of which there may be only so many. Serves any
   * number of threads.
   */
  @FunctionalInterface
  interface Calls {

    /**
     * Counts calls that are about to be made; they count for ever when the method returns, whatever
     * becomes of them.
     *
     * @throws KeyUnavailableException if the key is used up; the calls are not to be made
     */
    void take(long calls);
  }

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
