package io.ledgerkeep;

import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.util.Optional;

/**
 * Reads blocks, transactions and read/write sets: of a ledger, of a view of it, or of an archive.
 * Safe for any number of threads.
 *
 * <p>Every method may throw {@link IntegrityException} when what is stored is not what was written,
 * and {@link StorageException} when the engine or the archive store fails. On a ledger whose
 * read-through is off, what was archived is answered with {@link ArchivedException}.
 */
public interface BlockReader {

  /**
   * Returns the block at the height, or empty where the chain does not reach it.
   *
   * @throws ArchivedException {@code archived block}
   */
  Optional<Block> block(long height);

  /**
   * Returns the block with the hash, or empty where there is none.
   *
   * @throws ArchivedException {@code archived block}
   */
  Optional<Block> blockByHash(Bytes hash);

  /**
   * Returns the transaction with the id, or empty where there is none.
   *
   * @throws ArchivedException {@code archived transaction}
   */
  Optional<Transaction> transaction(String id);

  /**
   * Returns the read/write set of the transaction with the id, or empty where there is none.
   *
   * @throws ArchivedException {@code archived RWSet}
   */
  Optional<RwSet> rwSet(String id);
}
