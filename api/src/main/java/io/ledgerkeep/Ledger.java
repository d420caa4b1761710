package io.ledgerkeep;

import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Archiver;
import io.ledgerkeep.archive.Restorer;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import java.util.List;
import java.util.Optional;

/**
 * A ledger: blocks, the state they lead to and its history, on the engines of its directory.
 *
 * <p>Opened by {@link Ledgerkeep#builder()}; owned by one process at a time. Safe for any number of
 * threads: one thread commits at a time, readers never wait for it nor for a maintenance job.
 *
 * <p>Guarantees: a block is durable when {@link #commit} returns; after a crash or a power cut at
 * any instant the ledger opens by itself at the last committed height, with state and history of
 * exactly that height; nothing is deleted before its copy in the archive was synced, read back and
 * verified.
 */
public interface Ledger extends LedgerReader, AutoCloseable {

  /**
   * Appends a block; it is durable when the call returns. A block equal to the one committed at its
   * height is accepted again and changes nothing.
   *
   * @throws ConflictException if the height is not the next one, the previous hash does not link, a
   *     transaction id is already used in the chain, or another block is committed at the height;
   *     nothing was changed
   * @throws StorageException if an engine failed: where {@link StorageException#committedHeight()}
   *     is empty, nothing was committed; else the block is committed and the ledger refuses writes
   *     until it is opened again; only where the cause is a {@link KeyUnavailableException} the
   *     same call completes it
   * @throws KeyUnavailableException if the values are sealed in a device that does not answer;
   *     nothing was committed
   */
  void commit(Block block);

  /**
   * Appends blocks, with few syncs for many blocks: the way to import. When the call returns all
   * are durable; when it throws, a prefix of them may be committed, which {@link #height()} tells.
   *
   * @throws ConflictException as {@link #commit}, naming the block
   * @throws StorageException as {@link #commit}
   */
  void commitAll(List<Block> blocks);

  /** Opens a view of all databases at the present height. The caller closes it. */
  LedgerView view();

  /** Returns what moves old bodies to the archive. */
  Archiver archiver();

  /** Returns what brings archived bodies back. */
  Restorer restorer();

  /** Returns what backs the ledger up. */
  Backup backup();

  /**
   * Returns this ledger's archive; closed with the ledger.
   *
   * @throws ConfigurationException if no archive store is configured
   */
  Archive archive();

  /**
   * Checks the ledger: links, recorded digests of every body on the node, and, as far as the level
   * says, the archived bodies; without an archive store these are counted as unchecked. Changes
   * nothing; reads and commits go on.
   */
  Verification verify(Verification.Request request);

  /** Returns identity, heights and sizes. */
  LedgerStatus status();

  /** Returns the keys of the ledger, or empty where it has none of its own. */
  Optional<LedgerKeys> keys();

  /** Returns where this ledger's archive lies, or empty where no archive store is configured. */
  Optional<String> archivePlace();

  /**
   * Waits for the commit in progress, makes everything durable and gives the directory free. A job
   * that runs is cancelled between two batches. Views and iterators end. Closing twice does
   * nothing.
   *
   * @throws IllegalStateException if a job's own listener or verifier calls it; nothing is closed
   */
  @Override
  void close();
}
