package io.ledgerkeep.archive;

import io.ledgerkeep.job.JobControl;

/**
 * Asks to bring archived bodies back, down to a height.
 *
 * @param firstHeight the lowest height that is brought back
 * @param control progress, rate and cancel
 */
public record RestoreRequest(long firstHeight, JobControl control) {

  /** Checks the height. */
  public RestoreRequest {
    if (firstHeight < 0) {
      throw new IllegalArgumentException("a height must not be negative, but is " + firstHeight);
    }
  }

  /** Asks to bring bodies back down to the height, itself included, at full speed. */
  public static RestoreRequest downTo(long firstHeight) {
    return new RestoreRequest(firstHeight, JobControl.none());
  }

  /** Returns the same request under the given control. */
  public RestoreRequest with(JobControl newControl) {
    return new RestoreRequest(firstHeight, newControl);
  }
}
