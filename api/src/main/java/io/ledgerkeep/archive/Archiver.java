package io.ledgerkeep.archive;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;

/**
 * Moves the bodies of old blocks to the archive.
 *
 * <p>Safe for any number of threads; one job runs at a time on a ledger. Reads and commits go on. A
 * body is deleted from the node only after its segment was synced in the archive, read back through
 * the store, verified against the node's own record and listed in the manifest. A job can be killed
 * at any instant and run again.
 */
public interface Archiver {

  /**
   * Returns what {@link #archive} would do now; changes nothing.
   *
   * @throws ConflictException as {@link #archive}
   */
  JobPlan plan(ArchiveRequest request);

  /**
   * Archives the bodies from the pivot up to the height asked for. At or below the pivot there is
   * nothing to do. What an interrupted job left is finished or discarded first.
   *
   * @throws ConfigurationException if no archive store is configured
   * @throws ConflictException if the height is protected, another job runs, or the archive is not
   *     the one this ledger last wrote; nothing was changed
   * @throws IntegrityException if a body on the node, or the archive, is damaged; nothing of it was
   *     deleted
   * @throws StorageException if an engine or the store fails; run the job again
   */
  JobReport archive(ArchiveRequest request);
}
