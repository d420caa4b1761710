package io.ledgerkeep.job;

import java.time.Duration;
import java.util.Optional;

/**
 * How far a job has come.
 *
 * @param phase what the job does now, such as {@code write} or {@code delete}
 * @param doneBlocks the blocks the phase has dealt with
 * @param totalBlocks the blocks the phase has to deal with
 * @param bytes the bytes the phase has dealt with
 * @param elapsed the time since the phase began
 */
public record Progress(
    String phase, long doneBlocks, long totalBlocks, long bytes, Duration elapsed) {

  /** Returns the bytes dealt with in a second, on average, or 0 at the very beginning. */
  public long bytesPerSecond() {
    long nanos = elapsed.toNanos();
    return nanos <= 0 ? 0 : (long) (bytes * 1e9 / nanos);
  }

  /** Returns the time the rest will take at the rate so far, or empty while there is none. */
  public Optional<Duration> timeLeft() {
    if (doneBlocks <= 0) {
      return Optional.empty();
    }
    double perBlock = (double) elapsed.toNanos() / doneBlocks;
    return Optional.of(Duration.ofNanos((long) (perBlock * (totalBlocks - doneBlocks))));
  }
}
