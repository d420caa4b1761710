package io.ledgerkeep.job;

import java.time.Duration;

/**
 * What a job would do; the result of a dry run.
 *
 * @param job the name of the job
 * @param archivedHeightBefore the pivot now
 * @param archivedHeightAfter the pivot after the job
 * @param blocks the number of bodies to move
 * @param bytesToMove their encoded size, in bytes
 * @param bytesToFree what the job will free on the node, about, in bytes
 * @param bytesNeeded what the job needs where it writes to, about, in bytes
 * @param duration what it will take, about, judged by a sample
 */
public record JobPlan(
    String job,
    long archivedHeightBefore,
    long archivedHeightAfter,
    long blocks,
    long bytesToMove,
    long bytesToFree,
    long bytesNeeded,
    Duration duration) {}
