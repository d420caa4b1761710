package io.ledgerkeep.archive;

import io.ledgerkeep.job.JobControl;

/**
 * Asks to archive all bodies up to a height.
 *
 * @param lastHeight the height that the pivot shall reach
 * @param wholeSegments whether blocks that would not fill a segment are left to a later run, as
 *     many short segments make an archive slow; judged by how well the blocks before them compress
 * @param control progress, rate and cancel
 */
public record ArchiveRequest(long lastHeight, boolean wholeSegments, JobControl control) {

  /** Checks the height. */
  public ArchiveRequest {
    if (lastHeight < 0) {
      throw new IllegalArgumentException("a height must not be negative, but is " + lastHeight);
    }
  }

  /** Asks to archive all bodies up to the height, at full speed. */
  public static ArchiveRequest upTo(long lastHeight) {
    return new ArchiveRequest(lastHeight, false, JobControl.none());
  }

  /** Returns the same request, which leaves blocks that would not fill a segment. */
  public ArchiveRequest ofWholeSegments() {
    return new ArchiveRequest(lastHeight, true, control);
  }

  /** Returns the same request under the given control. */
  public ArchiveRequest with(JobControl newControl) {
    return new ArchiveRequest(lastHeight, wholeSegments, newControl);
  }
}
