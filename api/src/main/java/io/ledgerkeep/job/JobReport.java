package io.ledgerkeep.job;

import java.time.Duration;

/**
 * What a job did.
 *
 * @param job the name of the job
 * @param archivedHeightBefore the pivot before
 * @param archivedHeightAfter the pivot after
 * @param blocks the number of bodies moved
 * @param bytesMoved their encoded size, in bytes
 * @param bytesWritten what was written to where they went, in bytes; 0 where it was there already
 * @param bytesOnDiskBefore the size of the block database before, reserve files not counted
 * @param bytesOnDiskAfter its size after compaction
 * @param cancelled whether the job was ended before its end; run it again to go on
 * @param elapsed how long it took
 */
public record JobReport(
    String job,
    long archivedHeightBefore,
    long archivedHeightAfter,
    long blocks,
    long bytesMoved,
    long bytesWritten,
    long bytesOnDiskBefore,
    long bytesOnDiskAfter,
    boolean cancelled,
    Duration elapsed) {

  /** Returns the bytes given back to the disk; negative where the node grew. */
  public long bytesFreed() {
    return bytesOnDiskBefore - bytesOnDiskAfter;
  }
}
