package io.ledgerkeep;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Backs a ledger up while it is in use: commits and reads go on, other maintenance jobs wait.
 *
 * <p>Backups of one ledger lie in one directory, numbered from 1. A full one has all that is on the
 * node: metas, the bodies above the pivot, indexes, state and history at the height that the ledger
 * had when the backup began. An incremental one has the blocks above the newest backup there and is
 * of use together with that; state and history follow from the blocks when it is restored. Bodies
 * at or below the pivot are the archive's and are in no backup.
 *
 * <p>The values of an encrypted ledger are in a backup as they lie in the databases, sealed, with
 * the registry of keys, under the same master key. Each file is compressed, synced, read back and
 * verified before the manifest names it; the manifest comes last, and without it there is no
 * backup. A backup can be killed at any instant, or cancelled; the same call goes on where it was.
 * Restored with {@link Ledgerkeep.Builder#restoreBackup}. Safe for any number of threads.
 *
 * <pre>{@code
 * ledger.backup().run(Backup.Request.full(Path.of("/mnt/backup")));
 * ledger.backup().run(Backup.Request.incremental(Path.of("/mnt/backup")));
 * }</pre>
 */
public interface Backup {

  /** Returns what {@link #run} would do now; nothing is written. */
  Plan plan(Request request);

  /**
   * Makes a backup.
   *
   * @throws ConfigurationException if the directory lies within the ledger, or holds no backup that
   *     an incremental one could follow
   * @throws ConflictException if another job runs, the directory is in use or holds backups of
   *     another ledger; or if an incremental one cannot follow the newest there, as the ledger was
   *     rolled back below it, or a data key that it needs is no longer to be had: make a full one
   * @throws IntegrityException if a row of the ledger, or a file that was written, is damaged
   * @throws StorageException if an engine or a disk fails
   */
  Report run(Request request);

  /** What a backup has. */
  enum Kind {
    /** All that is on the node. */
    FULL,
    /** What came after the backup before. */
    INCREMENTAL
  }

  /** How a backup or a restore ended. */
  enum Outcome {
    /** It is done. */
    DONE,
    /** The newest backup has all there is; none was made. */
    NOTHING_TO_DO,
    /** Ended before its end; make the same call again to go on. */
    CANCELLED
  }

  /**
   * Asks for a backup.
   *
   * @param directory where the backups of the ledger lie; made where it is absent
   * @param kind what it shall have
   * @param control progress, rate and cancel
   */
  record Request(Path directory, Kind kind, JobControl control) {

    /** Asks for all that is on the node, at full speed. */
    public static Request full(Path directory) {
      return new Request(directory, Kind.FULL, JobControl.none());
    }

    /** Asks for what came after the newest backup of the directory, at full speed. */
    public static Request incremental(Path directory) {
      return new Request(directory, Kind.INCREMENTAL, JobControl.none());
    }

    /** Returns the same request under the given control. */
    public Request with(JobControl newControl) {
      return new Request(directory, kind, newControl);
    }
  }

  /**
   * What a backup would do.
   *
   * @param kind what it would have
   * @param number its number
   * @param height the newest height
   * @param blocks the blocks it would have
   * @param stateIncluded whether it would have state, history and indexes whole: a full one does,
   *     and an incremental one where the archive took blocks that no backup has
   * @param bodyBytes the encoded size of the bodies it would have, in bytes
   */
  record Plan(
      Kind kind, int number, long height, long blocks, boolean stateIncluded, long bodyBytes) {}

  /**
   * What a backup did.
   *
   * @param outcome how it ended
   * @param kind what it has
   * @param number its number
   * @param path its directory
   * @param height the newest height it has, or -1
   * @param archivedHeight the pivot: what it has no bodies of
   * @param blocks the blocks it has beside those of the backup before
   * @param stateIncluded whether it has state, history and indexes whole
   * @param rows the rows it has
   * @param rawBytes what they take, in bytes
   * @param bytes the size of its files
   * @param keptBytes how many of them an earlier call had written
   * @param elapsed how long it took
   */
  record Report(
      Outcome outcome,
      Kind kind,
      int number,
      Path path,
      long height,
      long archivedHeight,
      long blocks,
      boolean stateIncluded,
      long rows,
      long rawBytes,
      long bytes,
      long keptBytes,
      Duration elapsed) {}

  /**
   * Asks to restore a ledger from its backups.
   *
   * @param directory where the backups lie; nothing is written there
   * @param number which backup, or empty for the newest
   * @param newMaster the master key that the restored ledger is to be under, if another
   * @param mode what to do with what was restored
   * @param addArchive whether blocks that the archive has above the backup are committed too
   * @param control progress, rate and cancel
   */
  record Restoring(
      Path directory,
      OptionalInt number,
      Optional<MasterKey> newMaster,
      Mode mode,
      boolean addArchive,
      JobControl control) {

    /** What to do with what was restored. */
    public enum Mode {
      /** Leave the ledger in the directory of the builder. */
      RESTORE,
      /** Verify it there and remove it again: it is known then that it can be done. */
      REHEARSE,
      /** Only look at the backups and tell what would be done. */
      PLAN
    }

    /**
     * A master key.
     *
     * @param encryptor the name of its provider
     * @param options what the provider opens it with
     */
    public record MasterKey(String encryptor, Options options) {}

    /** Asks for the newest backup of a directory, at full speed. */
    public static Restoring from(Path directory) {
      return new Restoring(
          directory, OptionalInt.empty(), Optional.empty(), Mode.RESTORE, false, JobControl.none());
    }

    /** Returns the same request for the backup of the number. */
    public Restoring numbered(int newNumber) {
      return new Restoring(
          directory, OptionalInt.of(newNumber), newMaster, mode, addArchive, control);
    }

    /** Returns the same request; the restored ledger is under another master key. */
    public Restoring under(String encryptor, Options options) {
      return new Restoring(
          directory,
          number,
          Optional.of(new MasterKey(encryptor, options)),
          mode,
          addArchive,
          control);
    }

    /** Returns the same request in another mode. */
    public Restoring as(Mode newMode) {
      return new Restoring(directory, number, newMaster, newMode, addArchive, control);
    }

    /**
     * Returns the same request; blocks above the backup are taken from the archive of the builder,
     * each if it links to the one before and passes the {@link BlockVerifier} if there is one.
     */
    public Restoring addingArchive() {
      return new Restoring(directory, number, newMaster, mode, true, control);
    }

    /** Returns the same request under the given control. */
    public Restoring with(JobControl newControl) {
      return new Restoring(directory, number, newMaster, mode, addArchive, newControl);
    }
  }

  /**
   * What a restore did, or would do.
   *
   * @param outcome how it ended
   * @param backups the numbers of the backups it is made of, the full one first
   * @param chainId the name of the chain
   * @param ledgerId the identity of the ledger, that of the one backed up
   * @param height the height restored, or -1
   * @param archivedHeight the pivot: bodies up to there are the archive's
   * @param uncheckedBlocks the archived blocks that were not compared, as no archive was given
   * @param addedBlocks the blocks above the backup that the archive had
   * @param bytesRead the size of the files of the backups
   * @param bytesNeeded about what the restored ledger needs on its disk
   * @param elapsed how long it took
   */
  record Restored(
      Outcome outcome,
      List<Integer> backups,
      String chainId,
      String ledgerId,
      long height,
      long archivedHeight,
      long uncheckedBlocks,
      long addedBlocks,
      long bytesRead,
      long bytesNeeded,
      Duration elapsed) {

    /** Copies the list. */
    public Restored {
      backups = List.copyOf(backups);
    }
  }
}
