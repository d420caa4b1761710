package io.ledgerkeep;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Makes anew what follows from the blocks of a ledger: its state, its history, and the indexes of
 * its block database. For a ledger that is closed; it is owned meanwhile.
 *
 * <p>State and history are built from the first block on in new directories beside the originals,
 * archived bodies read from the archive. What was built is compared with the blocks, and only then
 * the ledger switches to it, in one step. The originals are not even opened: they may be damaged or
 * gone. What is there of them stays where it is, and the report names it. Entries of the indexes
 * that do not lead to their block or transaction are put right in place; what they were is saved
 * first, in the backup that the report names. The block database itself is not copied.
 *
 * <p>A rebuild can be killed at any instant, or cancelled; the same call goes on where it was, and
 * the ledger can be opened as before in between.
 *
 * <p>A height below the newest asks for a <b>roll back</b>: the blocks above it are taken away, and
 * the ledger is what it was when it had come to that height, also where its blocks are archived by
 * now. First these blocks are written into a backup, an archive of its own, and verified there;
 * then one durable write makes them unknown, ids and all, and other blocks can be committed in
 * their place. Before that write nothing of the ledger is changed; after it, any opening finishes
 * what is left to do. What it takes depends on the blocks that go, not on those that stay.
 *
 * <p>Safe for one thread.
 *
 * <pre>{@code
 * Rebuilder rebuilder = Ledgerkeep.builder().directory(Path.of("data")).rebuilder();
 * Rebuilder.Report report = rebuilder.rebuild(Rebuilder.Request.all());
 * }</pre>
 */
public interface Rebuilder {

  /**
   * Returns what {@link #rebuild} would do now; nothing of the ledger is changed.
   *
   * @throws ConfigurationException as {@link #rebuild} throws it
   * @throws ConflictException as {@link #rebuild} throws it
   * @throws IntegrityException if the block database is damaged
   * @throws KeyUnavailableException if the ledger is encrypted and the key is missing or wrong
   */
  Plan plan(Request request);

  /**
   * Rebuilds the ledger.
   *
   * @throws ConfigurationException if there is no ledger, an engine of state or history was handed
   *     in (a roll back does not mind), bodies are archived and no archive store is set, or the
   *     ledger is encrypted by an encryptor that was handed in, which cannot seal a backup
   * @throws ConflictException if the ledger is owned elsewhere, is another chain's, or the archive
   *     is not the one it last wrote
   * @throws IntegrityException if a block is not what was committed: the message names the first
   *     such block, and nothing was switched or put right; or if the block database is damaged
   *     otherwise; or if the ledger is to be rolled back and its state and history are not whole:
   *     rebuild all first
   * @throws KeyUnavailableException if the ledger is encrypted and the key is missing or wrong
   * @throws StorageException if an engine or a disk fails; {@link StorageException#isOutOfSpace}
   *     before anything is written where the room will not suffice
   */
  Report rebuild(Request request);

  /**
   * Asks for a rebuild.
   *
   * @param height up to which height, or empty for all; a height at or above the newest is all, one
   *     below it a roll back
   * @param verifyBlocks whether every block is checked before it counts: by the hash that links it
   *     to the one before, by the digests recorded when it was committed, and by the {@link
   *     BlockVerifier} if there is one. Seals and checksums of what is read are always checked, and
   *     so is what was built
   * @param control progress, rate and cancel
   */
  record Request(OptionalLong height, boolean verifyBlocks, JobControl control) {

    /** Checks the height. */
    public Request {
      if (height.isPresent() && height.getAsLong() < 0) {
        throw new IllegalArgumentException(
            "a height must not be negative, but is " + height.getAsLong());
      }
    }

    /** Asks to rebuild all, every block verified, at full speed. */
    public static Request all() {
      return new Request(OptionalLong.empty(), true, JobControl.none());
    }

    /**
     * Asks to rebuild up to a height, every block verified, at full speed. Below the newest height
     * that is a roll back; to 0, all but the genesis block goes.
     */
    public static Request upTo(long height) {
      return new Request(OptionalLong.of(height), true, JobControl.none());
    }

    /** Returns the same request for blocks that are known to be good. */
    public Request withoutVerification() {
      return new Request(height, false, control);
    }

    /** Returns the same request under the given control. */
    public Request with(JobControl newControl) {
      return new Request(height, verifyBlocks, newControl);
    }
  }

  /**
   * What a rebuild would do.
   *
   * @param height the newest height afterwards, up to which state and history are built
   * @param blocks the number of blocks to replay, or to take away
   * @param archivedBlocks how many blocks are read from the archive
   * @param bytesToRead the encoded size of the bodies to read, in bytes
   * @param bytesNeeded what each database that is made anew needs on its disk, about, in bytes; the
   *     indexes are put right in place. Of a roll back, what the backup and the bodies that come
   *     back from the archive need at most, with the block database
   * @param rollBack what is taken away, where it is a roll back
   */
  record Plan(
      long height,
      long blocks,
      long archivedBlocks,
      long bytesToRead,
      Map<Database, Long> bytesNeeded,
      Optional<RollBack> rollBack) {

    /** Copies the map. */
    public Plan {
      bytesNeeded = Map.copyOf(bytesNeeded);
    }
  }

  /**
   * What a rebuild did.
   *
   * @param height the newest height
   * @param blocks the blocks replayed by this call; those of a call that was interrupted before do
   *     not count; none where it was a roll back
   * @param archivedBlocks how many of them were read from the archive
   * @param indexEntries the entries of the indexes that were put right
   * @param backup the directory with what was replaced: where the originals are, and the former
   *     entries of the indexes; of a roll back, an archive of the blocks that were taken away;
   *     empty where it was cancelled
   * @param originals what the former state and history consist of, as far as it is there, and the
   *     backup: to be rid of it, remove all of these, and nothing else
   * @param cancelled whether it was ended before its end; make the same call again to go on
   * @param elapsed how long it took
   * @param rollBack what was taken away, where it was a roll back
   */
  record Report(
      long height,
      long blocks,
      long archivedBlocks,
      long indexEntries,
      Optional<Path> backup,
      List<Path> originals,
      boolean cancelled,
      Duration elapsed,
      Optional<RollBack> rollBack) {

    /** Copies the list. */
    public Report {
      originals = List.copyOf(originals);
    }
  }

  /**
   * What a roll back takes away.
   *
   * @param heightBefore the newest height before
   * @param height the newest height after
   * @param archivedHeightBefore the archived height before
   * @param archivedHeight the archived height after: as if no block had ever been above the newest
   * @param restoredBlocks how many bodies come back from the archive, as blocks that were old are
   *     among the newest again; of a call that only ended what an earlier one had begun, 0
   */
  record RollBack(
      long heightBefore,
      long height,
      long archivedHeightBefore,
      long archivedHeight,
      long restoredBlocks) {

    /** Returns the number of blocks that are taken away. */
    public long blocks() {
      return heightBefore - height;
    }
  }
}
