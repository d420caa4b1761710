package io.ledgerkeep.core.derived;

import io.ledgerkeep.core.rows.LastRows;
import io.ledgerkeep.core.rows.Row;
import io.ledgerkeep.core.rows.RowHash;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What state and history are to hold, as sums of hashes of rows: one scan of each tells whether
 * they do, where looking up every write would be reading here and there. All blocks from the first
 * are added, in order. Close it.
 */
public final class DerivedSums implements AutoCloseable {

  private final RowHash hash;
  private final LastRows state;
  private long history;
  private long historyRows;

  /**
   * Begins without a block.
   *
   * @param scratch the file for what does not fit into memory, which is removed
   */
  public DerivedSums(RowHash hash, Path scratch) {
    this.hash = hash;
    this.state = new LastRows(scratch);
  }

  /** What some blocks add. */
  public record Part(long history, int historyRows, long[] stateKeys, long[] stateRows) {}

  /** Returns what blocks add; on any thread. */
  public static Part of(List<DerivedRows> blocks, RowHash hash) {
    long history = 0;
    int rows = 0;
    int writes = blocks.stream().mapToInt(block -> block.state().size()).sum();
    long[] stateKeys = new long[writes];
    long[] stateRows = new long[writes];
    int at = 0;
    for (DerivedRows block : blocks) {
      for (Row row : block.history()) {
        history += hash.of(row.key(), row.value());
      }
      rows += block.history().size();
      for (DerivedRows.State write : block.state()) {
        stateKeys[at] = hash.of(write.key());
        stateRows[at++] =
            write.row().map(row -> hash.of(row.key(), row.value())).orElse(LastRows.NONE);
      }
    }
    return new Part(history, rows, stateKeys, stateRows);
  }

  /** Adds blocks; for one thread. */
  public void add(Part part) {
    history += part.history();
    historyRows += part.historyRows();
    for (int i = 0; i < part.stateKeys().length; i++) {
      state.add(part.stateKeys()[i], part.stateRows()[i]);
    }
  }

  /** Returns what history is to come to. */
  public LastRows.Sum history() {
    return new LastRows.Sum(history, historyRows);
  }

  /** Returns what state is to come to; nothing where there is too much of it to tell. */
  public Optional<LastRows.Sum> state() {
    return state.sum();
  }

  @Override
  public void close() {
    state.close();
  }
}
