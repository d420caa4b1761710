package io.ledgerkeep.core.rows;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.util.List;
import java.util.Optional;

/**
 * An engine that can do a part of the work of a write ahead of it, on any thread, so that the one
 * writer has less to do.
 */
public interface AheadEngine extends StorageEngine {

  /** What was done ahead for one value of one key. What it is, the engine alone knows. */
  interface Ahead {}

  /** Does what can be done ahead for a value, if anything; nothing is written. */
  Optional<Ahead> ahead(Bytes key, Bytes value);

  /**
   * Writes as {@link #write(WriteBatch, Durability)} does, with exactly the same outcome: what was
   * done ahead is taken where it still holds, and done anew where it does not.
   *
   * @param ahead what was done ahead for the first mutations of the batch, one by one in their
   *     order; nothing was for those beyond its end
   */
  void write(WriteBatch batch, List<Optional<Ahead>> ahead, Durability durability);
}
