package io.ledgerkeep.core.rebuilding;

import io.ledgerkeep.Block;
import io.ledgerkeep.core.chain.BlockCursor.Found;
import io.ledgerkeep.core.chain.ChainIndexes;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.derived.DerivedStore.DerivedView;
import io.ledgerkeep.core.derived.DerivedSums;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.core.rows.LastRows;
import io.ledgerkeep.core.rows.RowHash;
import io.ledgerkeep.core.rows.RowScan;
import io.ledgerkeep.error.IntegrityException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * Tells by one scan of state, history and indexes whether they are what all blocks say. "Perhaps
 * not" is the answer where anything differs: then each row is to be looked at. Close it.
 */
final class ReplaySums implements AutoCloseable {

  private static final int ROWS_AT_A_TIME = 8192;

  private final RowHash hash = new RowHash();
  private final DerivedSums derived;
  private long indexes;
  private long indexRows;

  /** Begins without a block; the file is for what does not fit into memory. */
  ReplaySums(Path scratch) {
    derived = new DerivedSums(hash, scratch);
  }

  /** What some blocks add. */
  record Part(DerivedSums.Part derived, long indexes, long indexRows) {}

  /** What was found: all that is not surely equal has to be compared. */
  record Outcome(boolean isComplete, boolean derivedEqual, boolean indexesEqual) {

    static final Outcome CANCELLED = new Outcome(false, false, false);
    static final Outcome UNKNOWN = new Outcome(true, false, false);

    boolean isEqual() {
      return derivedEqual && indexesEqual;
    }
  }

  /** Returns what blocks add; on any thread. */
  Part of(List<Found> blocks, List<Block> decoded) {
    long sum = 0;
    long entries = 0;
    for (Found found : blocks) {
      sum += ChainIndexes.sumOf(found.meta(), found.block(), hash);
      entries += 1 + found.block().transactions().size();
    }
    return new Part(derived.of(decoded), sum, entries);
  }

  /** Adds blocks, in order. */
  void add(Part part) {
    derived.add(part.derived());
    indexes += part.indexes();
    indexRows += part.indexRows();
  }

  /** Compares all with what was added. */
  Outcome compare(
      DerivedStore store, ChainIndexes chain, Executor executor, JobWatch watch, long blocks) {
    watch.begin("compare", blocks);
    Optional<LastRows.Sum> state = derived.state();
    if (state.isEmpty()) {
      return Outcome.UNKNOWN;
    }
    List<RowScan> scans = new ArrayList<>();
    try (DerivedView view = store.view()) {
      try {
        scans.add(view.sumOfState(hash));
        scans.add(view.sumOfHistory(hash));
        scans.addAll(chain.sums(hash));
        Pace pace =
            new Pace(watch, blocks, state.get().rows() + derived.history().rows() + indexRows);
        if (!scan(scans, executor, watch, pace)) {
          return Outcome.CANCELLED;
        }
      } finally {
        scans.forEach(RowScan::close);
      }
    } catch (IntegrityException damaged) {
      return Outcome.UNKNOWN;
    }
    return new Outcome(
        true,
        state.get().equals(sum(scans.subList(0, 1)))
            && derived.history().equals(sum(scans.subList(1, 2))),
        new LastRows.Sum(indexes, indexRows).equals(sum(scans.subList(2, scans.size()))));
  }

  private static LastRows.Sum sum(List<RowScan> scans) {
    return new LastRows.Sum(
        scans.stream().mapToLong(RowScan::sum).sum(),
        scans.stream().mapToLong(RowScan::rows).sum());
  }

  private static boolean scan(List<RowScan> scans, Executor executor, JobWatch watch, Pace pace) {
    try (OrderedPipeline<RowScan> pipeline = new OrderedPipeline<>(executor)) {
      scans.forEach(scan -> pipeline.submit(0, () -> scan.next(ROWS_AT_A_TIME)));
      while (!pipeline.isEmpty()) {
        RowScan scan = pipeline.take();
        if (watch.isCancelled()) {
          return false;
        }
        pace.advance(ROWS_AT_A_TIME);
        if (!scan.isEnded()) {
          pipeline.submit(0, () -> scan.next(ROWS_AT_A_TIME));
        }
      }
      return true;
    }
  }

  /** Tells rows as the blocks that they stand for. */
  private static final class Pace {

    private final JobWatch watch;
    private final long blocks;
    private final long rows;
    private long doneRows;
    private long told;

    Pace(JobWatch watch, long blocks, long rows) {
      this.watch = watch;
      this.blocks = blocks;
      this.rows = Math.max(1, rows);
    }

    void advance(long moreRows) {
      doneRows = Math.min(rows, doneRows + moreRows);
      long now = (long) ((double) doneRows / rows * blocks);
      watch.advance(now - told, 0);
      told = now;
    }
  }

  @Override
  public void close() {
    derived.close();
  }
}
