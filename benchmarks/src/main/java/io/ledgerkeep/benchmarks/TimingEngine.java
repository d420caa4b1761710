package io.ledgerkeep.benchmarks;

import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;

/** Notes how long an engine takes to delete and to compact. */
final class TimingEngine extends WrappedStorage.Engine {

  /** What was noted. */
  record Times(Stopwatch deleting, Stopwatch compacting) {

    static Times none() {
      return new Times(new Stopwatch(), new Stopwatch());
    }

    /** Returns what is left of the time without deleting and compacting. */
    double secondsWithout(double seconds) {
      return seconds - deleting.seconds() - compacting.seconds();
    }

    String shares(double seconds) {
      return Notes.format(
          "deleting %.0f %%, compaction %.0f %% of the time",
          100 * deleting.seconds() / seconds, 100 * compacting.seconds() / seconds);
    }
  }

  private final Times times;

  TimingEngine(StorageEngine engine, Times times) {
    super(engine);
    this.times = times;
  }

  @Override
  public void deleteRange(KeyRange range) {
    times.deleting().time(() -> super.deleteRange(range));
  }

  @Override
  public void compact(KeyRange range) {
    times.compacting().time(() -> super.compact(range));
  }
}
