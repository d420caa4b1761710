package io.ledgerkeep.badger;

import com.google.common.util.concurrent.Uninterruptibles;
import java.time.Duration;

/** The pauses between tries: short at first, then longer, and none once the time is over. */
final class Pauses {

  private static final long LONGEST_MILLIS = 500;

  private final long end;
  private long millis = 5;

  Pauses(Duration time) {
    this.end = System.nanoTime() + time.toNanos();
  }

  /** Waits and returns true, or returns false where the time is over. */
  boolean pause() {
    if (System.nanoTime() >= end) {
      return false;
    }
    Uninterruptibles.sleepUninterruptibly(Duration.ofMillis(millis));
    millis = Math.min(2 * millis, LONGEST_MILLIS);
    return true;
  }
}
