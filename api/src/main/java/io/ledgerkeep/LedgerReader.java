package io.ledgerkeep;

import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.util.Optional;

/**
 * Reads a ledger, or a view of it at one height. Safe for any number of threads.
 *
 * <p>Metas, state and history stay on the node for ever, whatever was archived. Every method may
 * throw {@link IntegrityException} and {@link StorageException} as those of {@link BlockReader}.
 */
public interface LedgerReader extends BlockReader {

  /** Returns the height of the newest block, or -1 while there is none. */
  long height();

  /**
   * Returns the pivot: the highest archived height that is no config block, or 0. Every height from
   * 1 to it that is no config block has its body in the archive.
   */
  long archivedHeight();

  /** Returns what stays of the block for ever, or empty where the chain does not reach it. */
  Optional<BlockMeta> meta(long height);

  /** Returns what stays of the block with the hash for ever, or empty where there is none. */
  Optional<BlockMeta> metaByHash(Bytes hash);

  /** Returns the meta of the block that holds the transaction, or empty where there is none. */
  Optional<BlockMeta> metaOfTransaction(String id);

  /** Returns the newest value of the key, or empty where it has none. */
  Optional<Bytes> state(String namespace, Bytes key);

  /** Returns the keys of the range that have a value, in unsigned byte order, at one height. */
  CloseableIterator<StateEntry> scanState(String namespace, KeyRange range);

  /** Returns which transactions wrote the key, the newest first, at one height. */
  CloseableIterator<HistoryEntry> history(String namespace, Bytes key);

  /**
   * A key and its value.
   *
   * @param key the key within its namespace
   * @param value the newest value
   */
  record StateEntry(Bytes key, Bytes value) {}

  /**
   * A transaction that wrote a key.
   *
   * @param height the block that holds the transaction
   * @param transactionIndex its place in the block, from 0
   * @param txId its id
   * @param deleted whether it deleted the key
   */
  record HistoryEntry(long height, int transactionIndex, String txId, boolean deleted) {}
}
