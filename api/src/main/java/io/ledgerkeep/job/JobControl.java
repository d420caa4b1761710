package io.ledgerkeep.job;

import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * How a job is watched and held back while it runs.
 *
 * @param listener told of progress on the job's thread, often; must be quick and must not throw
 * @param maxBytesPerSecond the most bytes of blocks to deal with in a second, on average
 * @param cancelled asked between two batches; once true, the job ends there, resumable
 */
public record JobControl(
    Consumer<Progress> listener, OptionalLong maxBytesPerSecond, BooleanSupplier cancelled) {

  private static final JobControl NONE =
      new JobControl(progress -> {}, OptionalLong.empty(), () -> false);

  /** Checks the rate. */
  public JobControl {
    if (maxBytesPerSecond.isPresent() && maxBytesPerSecond.getAsLong() < 1) {
      throw new IllegalArgumentException("a rate must be at least 1 byte a second");
    }
  }

  /** Returns no control: unwatched, at full speed, to the end. */
  public static JobControl none() {
    return NONE;
  }

  /** Returns the same control with the listener. */
  public JobControl onProgress(Consumer<Progress> newListener) {
    return new JobControl(newListener, maxBytesPerSecond, cancelled);
  }

  /** Returns the same control with the rate. */
  public JobControl atMost(long bytesPerSecond) {
    return new JobControl(listener, OptionalLong.of(bytesPerSecond), cancelled);
  }

  /** Returns the same control with the switch that ends the job. */
  public JobControl cancelledBy(BooleanSupplier newCancelled) {
    return new JobControl(listener, maxBytesPerSecond, newCancelled);
  }
}
