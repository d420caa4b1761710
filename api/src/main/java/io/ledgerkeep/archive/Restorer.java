package io.ledgerkeep.archive;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;

/**
 * Brings archived bodies back to the node, from the pivot downwards.
 *
 * <p>Safe for any number of threads; one job runs at a time on a ledger. Reads and commits go on.
 * Every block is checked against the node's own record, and by its {@link
 * io.ledgerkeep.BlockVerifier} if it has one, before it is written. The segments stay in the
 * archive. A job can be killed at any instant and run again.
 */
public interface Restorer {

  /** Returns what {@link #restore} would do now; changes nothing. */
  JobPlan plan(RestoreRequest request);

  /**
   * Brings bodies back from the pivot down to the height asked for. With pivot 0, or above the
   * pivot, there is nothing to do.
   *
   * @throws ConfigurationException if no archive store is configured although there is something to
   *     bring back
   * @throws ConflictException if another job runs, or the archive is not the one this ledger last
   *     wrote; nothing was changed
   * @throws IntegrityException if the archive is damaged; what was brought back before stays
   * @throws StorageException if an engine or the store fails; run the job again
   */
  JobReport restore(RestoreRequest request);
}
