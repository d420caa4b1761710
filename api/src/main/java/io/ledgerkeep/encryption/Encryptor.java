package io.ledgerkeep.encryption;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.util.UUID;

/**
 * Seals values, so that without the key nobody reads them and nobody changes or moves one
 * unnoticed.
 *
 * <p>An encryptor keeps these rules; the contract test of the testkit has a test named after each.
 *
 * <ol>
 *   <li>{@link #open} returns exactly what was sealed under an equal context, the empty value
 *       included.
 *   <li>A sealed value of which any byte was changed, cut off or added is refused with {@link
 *       IntegrityException}; so are bytes that were never sealed.
 *   <li>So is a value opened under another context: another store, database or key. Two contexts
 *       are different also where their parts, joined, are the same bytes.
 *   <li>Sealing the same value twice gives different bytes; no nonce is used twice under a key, by
 *       however many threads, and after any restart.
 *   <li>A sealed value is longer than the value by at most {@link #overheadBytes()} for each {@link
 *       #OVERHEAD_SPAN} of the value that is begun, and for an empty value.
 *   <li>The bytes handed in are neither changed nor kept.
 *   <li>The encryptor serves any number of threads. After {@link #close} the other methods throw
 *       {@link IllegalStateException}; closing twice does nothing.
 *   <li>What another key sealed is refused with {@link IntegrityException}.
 *   <li>No message, and no {@code toString}, holds a byte of a key or of a value.
 * </ol>
 *
 * <p>What the seal of a single value cannot show: that an older value of the same context was put
 * back, or that a value was removed.
 */
public interface Encryptor extends AutoCloseable {

  /** As many bytes of a value are made longer by {@link #overheadBytes()} at most. */
  int OVERHEAD_SPAN = 64 << 10;

  /**
   * What a value is bound to.
   *
   * @param store the id of the ledger or archive
   * @param database which part of it: {@code block}, {@code state}, ...
   * @param key the key of the value there
   */
  record Context(UUID store, String database, Bytes key) {}

  /**
   * Returns the sealed value.
   *
   * @throws KeyUnavailableException if the key cannot be reached or its budget is used up
   */
  Bytes seal(Context context, Bytes value);

  /**
   * Returns the value that was sealed under the context.
   *
   * @throws IntegrityException if these bytes were not sealed under this context and key
   * @throws KeyUnavailableException if the key cannot be reached
   */
  Bytes open(Context context, Bytes sealed);

  /**
   * Returns by how many bytes a sealed value is longer than the value, at most, where that has up
   * to {@link #OVERHEAD_SPAN}; twice as many where it has up to twice that, and so on.
   */
  int overheadBytes();

  /** Forgets the keys as far as they can be reached; closing twice does nothing. */
  @Override
  void close();
}
