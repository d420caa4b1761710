package io.ledgerkeep.encryption;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.StorageException;
import java.time.Instant;
import java.util.List;

/**
 * The keys of an encrypted ledger, and how they are replaced while it is in use. Serves any number
 * of threads.
 */
public interface LedgerKeys {

  /** What a data key may be used for. */
  enum State {
    /** To seal new values and to open those it sealed. */
    ACTIVE,
    /** To open what it sealed before. */
    READ_ONLY,
    /** For nothing, until it is enabled again. */
    DISABLED,
    /** For nothing, for ever. */
    DESTROYED
  }

  /**
   * A data key. Values are sealed under keys derived from it.
   *
   * @param number counted from 1 within the ledger
   * @param suite the name of its cipher suite
   * @param state what it may be used for
   * @param exposed whether somebody may know it
   * @param createdAt when it was made
   */
  record DataKey(int number, String suite, State state, boolean exposed, Instant createdAt) {}

  /** Returns all data keys, in the order of their numbers. */
  List<DataKey> dataKeys();

  /**
   * Makes a new data key; every value written from now on is sealed under it. Values written before
   * stay as they are, under keys that from now on only open. Durable when the call returns.
   *
   * @param suite the name of the cipher suite of the new key, such as {@code SM4-GCM}
   * @throws ConfigurationException if no such suite is at hand; nothing was changed
   * @throws StorageException if the registry of keys cannot be written; values go on being sealed
   *     as before
   */
  DataKey rotate(String suite);
}
