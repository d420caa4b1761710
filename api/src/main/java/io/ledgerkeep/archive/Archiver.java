package io.ledgerkeep.archive;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;

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

  /**
   * Returns up to which height a policy wants the ledger archived now; empty where that is not
   * above the pivot. Changes nothing.
   */
  OptionalLong due(Policy policy);

  /**
   * Archives what is due by a policy, in whole segments, if anything is: for a scheduler of the
   * node to call, as often as it likes. While another job has the ledger (a backup, a restore, a
   * run of somebody else) nothing is done.
   *
   * @return what was done; empty where nothing was due, or another job has the ledger
   * @throws StorageException as {@link #archive}, as all else; who schedules it has to see to it
   *     that one failure does not end the schedule
   */
  default Optional<JobReport> archiveDue(Policy policy, JobControl control) {
    OptionalLong due = due(policy);
    if (due.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          archive(ArchiveRequest.upTo(due.getAsLong()).ofWholeSegments().with(control)));
    } catch (ConflictException e) {
      if (e.reason() == ConflictException.Reason.JOB_RUNNING) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * What is to stay on the node. Of several rules that which archives most decides; the newest
   * blocks that are protected stay whatever a policy says.
   *
   * @param keepBlocks how many of the newest blocks stay
   * @param keepBytes how many bytes of bodies stay, as they are encoded, counted from the newest
   *     block
   * @param freeBytes how many bytes are to be free on the disk of the block database; where fewer
   *     are, so many bytes of bodies go
   * @param keepAge which blocks stay by their time
   */
  record Policy(
      OptionalLong keepBlocks,
      OptionalLong keepBytes,
      OptionalLong freeBytes,
      Optional<Age> keepAge) {

    /** Checks the numbers. */
    public Policy {
      Stream.of(keepBlocks, keepBytes, freeBytes)
          .forEach(
              rule -> {
                if (rule.orElse(0) < 0) {
                  throw new IllegalArgumentException("what is kept must not be negative");
                }
              });
    }

    /**
     * Blocks younger than this stay.
     *
     * @param atLeast the age of the youngest block that may go
     * @param time tells the time of a block, which never falls from one height to the next; the
     *     library knows none, as headers are the node's own
     */
    public record Age(Duration atLeast, Function<BlockMeta, Instant> time) {}

    /** Returns a policy without a rule: nothing is ever due. */
    public static Policy none() {
      return new Policy(
          OptionalLong.empty(), OptionalLong.empty(), OptionalLong.empty(), Optional.empty());
    }

    /** Returns this policy with a rule more. */
    public Policy keepBlocks(long blocks) {
      return new Policy(OptionalLong.of(blocks), keepBytes, freeBytes, keepAge);
    }

    /** Returns this policy with a rule more. */
    public Policy keepBytes(long bytes) {
      return new Policy(keepBlocks, OptionalLong.of(bytes), freeBytes, keepAge);
    }

    /** Returns this policy with a rule more. */
    public Policy freeBytes(long bytes) {
      return new Policy(keepBlocks, keepBytes, OptionalLong.of(bytes), keepAge);
    }

    /** Returns this policy with a rule more. */
    public Policy keepAge(Duration atLeast, Function<BlockMeta, Instant> time) {
      return new Policy(keepBlocks, keepBytes, freeBytes, Optional.of(new Age(atLeast, time)));
    }
  }
}
