package io.ledgerkeep;

import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import java.time.Duration;
import java.time.Instant;
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
 *
 * <p>Once it is closed every call but {@link #close} throws an {@link IllegalStateException}.
 */
public interface Ledger extends LedgerReader, Ledgerkeep.Maintenance, AutoCloseable {

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
   * @throws KeyUnavailableException as {@link #commit}
   */
  void commitAll(List<Block> blocks);

  /** Opens a view of all databases at the present height. The caller closes it. */
  LedgerView view();

  /**
   * Returns this ledger's archive; closed with the ledger.
   *
   * @throws ConfigurationException if no archive store is configured
   */
  Archive archive();

  /**
   * Waits for the commit in progress, makes everything durable and gives the directory free. A job
   * that runs is cancelled between two batches. Views and iterators end. Closing twice does
   * nothing.
   *
   * @throws IllegalStateException if a job's own listener or verifier calls it; nothing is closed
   */
  @Override
  void close();

  /**
   * The maintenance jobs of a ledger: those that run, and those that the newest part of its audit
   * file tells of. Safe for any number of threads.
   */
  interface Jobs {

    /** Returns the jobs that run, and then those that ended, the newest first. */
    List<Job> list();

    /** Returns what ended since the ledger was opened, counted by job and by how it ended. */
    List<Total> totals();

    /**
     * Asks a job to end at the next safe place. Returns whether it was running; it may run a little
     * longer.
     */
    boolean cancel(long number);

    /**
     * Runs again what an archive run, a restore, a backup or a re-encryption had begun that was
     * cancelled, failed or interrupted, under a number of its own; it goes on where that one was.
     *
     * @return the job that it became, ended
     * @throws ConflictException if there is no such job, it runs or is done, another job runs, or
     *     it is one that goes on by other means, which the message names
     * @throws IntegrityException if the audit file, which says what it was asked to do, was changed
     */
    Job resume(long number, JobControl control);

    /** How a job stands. */
    enum State {
      /** It runs. */
      RUNNING,
      /** It came to its end. */
      DONE,
      /** It was told to end before its end. */
      CANCELLED,
      /** It ended with an error. */
      FAILED,
      /** Its process ended before it did. */
      INTERRUPTED
    }

    /**
     * A job.
     *
     * @param number counts the entries of the audit file; tells the job from others
     * @param name what it does, such as {@code archive}
     * @param range what it was asked to do it to, as {@code name=value} pairs, or empty text
     * @param by the user and the process that ran it
     * @param state how it stands
     * @param begun when it began
     * @param ended when it ended; empty while it runs, and where nobody saw it end
     * @param result what it told when it ended, as {@code name=value} pairs or a message
     * @param progress how far it has come, while it runs and tells
     */
    record Job(
        long number,
        String name,
        String range,
        String by,
        State state,
        Instant begun,
        Optional<Instant> ended,
        String result,
        Optional<Progress> progress) {}

    /**
     * How often a job ended in one way since the ledger was opened.
     *
     * @param name the name of the job
     * @param state how it ended
     * @param count how often
     * @param elapsed how long it took, all together
     */
    record Total(String name, State state, long count, Duration elapsed) {}
  }
}
