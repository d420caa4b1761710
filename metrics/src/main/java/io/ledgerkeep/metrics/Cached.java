package io.ledgerkeep.metrics;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A value that is looked up again once it is older than some seconds, by one thread at a time: the
 * others take the one before, and nothing if that is a minute old. Serves any number of threads.
 */
final class Cached<T> {

  private static final Duration LONGEST = Duration.ofMinutes(1);

  private final Supplier<T> source;
  private final long freshNanos;
  private final LongSupplier nanoTime;
  private final AtomicBoolean looking = new AtomicBoolean();
  private volatile @Nullable Seen<T> last;

  /** A failure is remembered as well: what does not answer is not asked with every reading. */
  private record Seen<T>(@Nullable T value, long at) {}

  /**
   * Holds what a source says.
   *
   * @param source may take its time, and may throw
   * @param fresh how old the value may be
   * @param nanoTime the clock
   */
  Cached(Supplier<T> source, Duration fresh, LongSupplier nanoTime) {
    this.source = source;
    this.freshNanos = fresh.toNanos();
    this.nanoTime = nanoTime;
  }

  /** Returns the value; null where the source threw, or never answered in time. */
  @Nullable T get() {
    Seen<T> seen = last;
    long now = nanoTime.getAsLong();
    if (seen != null && now - seen.at() < freshNanos) {
      return seen.value();
    }
    if (!looking.compareAndSet(false, true)) {
      return seen != null && now - seen.at() < LONGEST.toNanos() ? seen.value() : null;
    }
    try {
      Seen<T> found = new Seen<>(found(), nanoTime.getAsLong());
      last = found;
      return found.value();
    } finally {
      looking.set(false);
    }
  }

  private @Nullable T found() {
    try {
      return source.get();
    } catch (RuntimeException e) {
      return null;
    }
  }
}
