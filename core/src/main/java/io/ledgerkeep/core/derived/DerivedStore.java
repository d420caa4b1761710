package io.ledgerkeep.core.derived;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.LedgerReader.StateEntry;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.rows.Row;
import io.ledgerkeep.core.rows.RowHash;
import io.ledgerkeep.core.rows.RowMaker;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.core.rows.RowScan;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.core.rows.StoredPieces;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * State and history as they are written and read. Applying blocks again, in order, leads to the
 * same rows. {@link #apply} is for one thread at a time; the rest serves any number of threads.
 */
public final class DerivedStore {

  private static final long NONE = -1;

  private final StorageEngine state;
  private final StorageEngine history;
  private final int statePieceBytes;
  private final int historyPieceBytes;
  private final RowReader stateRows;
  private final StoredPieces statePieces;
  private final RowMaker stateRowMaker;
  private final RowMaker historyRowMaker;

  /** Opens state and history on their engines. */
  public DerivedStore(
      StorageEngine state, int statePieceBytes, StorageEngine history, int historyPieceBytes) {
    this.state = state;
    this.statePieceBytes = statePieceBytes;
    this.history = history;
    this.historyPieceBytes = historyPieceBytes;
    this.stateRows = RowReader.newest(state, statePieceBytes);
    this.statePieces = new StoredPieces(state, DerivedKeys.PIECES);
    this.stateRowMaker = RowMaker.of(state, statePieceBytes);
    this.historyRowMaker = RowMaker.of(history, historyPieceBytes);
  }

  /** Returns the height that state has come to, or -1. */
  public long stateHeight() {
    return height(state);
  }

  /** Returns the height that history has come to, or -1. */
  public long historyHeight() {
    return height(history);
  }

  /** Returns the height that a database of state or history has come to, or -1. */
  public static long height(StorageEngine engine) {
    return engine
        .get(DerivedKeys.HEIGHT)
        .map(row -> new ByteReader(row, "the record of the height").u64())
        .orElse(NONE);
  }

  /**
   * Prepares what blocks that follow one another put into state and history; on any thread.
   *
   * @param ahead of which blocks the engines do ahead what they can
   */
  public List<DerivedRows> prepare(List<Block> blocks, Predicate<Block> ahead) {
    Set<Bytes> writtenLater = new HashSet<>();
    List<DerivedRows> rows = new ArrayList<>(blocks.size());
    for (int i = blocks.size() - 1; i >= 0; i--) {
      Block block = blocks.get(i);
      rows.add(prepare(block, ahead.test(block), writtenLater));
    }
    Collections.reverse(rows);
    return rows;
  }

  /** From the last write to the first: what is overwritten at once is worth no work ahead. */
  private DerivedRows prepare(Block block, boolean ahead, Set<Bytes> writtenLater) {
    RowMaker historyMaker = ahead ? historyRowMaker : RowMaker.NOTHING_AHEAD;
    RowMaker stateMaker = ahead ? stateRowMaker : RowMaker.NOTHING_AHEAD;
    List<Row> historyRows = new ArrayList<>();
    List<DerivedRows.State> stateRows = new ArrayList<>();
    for (int ordinal = block.rwSets().size() - 1; ordinal >= 0; ordinal--) {
      RwSet rwSet = block.rwSets().get(ordinal);
      Set<Bytes> writtenAfter = new HashSet<>();
      for (int i = rwSet.writes().size() - 1; i >= 0; i--) {
        RwSet.Write write = rwSet.writes().get(i);
        Bytes key = DerivedKeys.state(write.namespace(), write.key());
        if (!writtenAfter.add(key)) {
          continue; // of a transaction that writes a key more than once, nothing else ever shows
        }
        RowMaker maker = writtenLater.add(key) ? stateMaker : RowMaker.NOTHING_AHEAD;
        stateRows.add(
            new DerivedRows.State(key, write.value().map(value -> maker.row(key, Rope.of(value)))));
        historyRows.add(
            historyMaker.row(
                DerivedKeys.history(write.namespace(), write.key(), block.height(), ordinal),
                Rope.of(DerivedKeys.historyValue(rwSet.txId(), write.value().isEmpty()))));
      }
    }
    Collections.reverse(historyRows);
    Collections.reverse(stateRows);
    return new DerivedRows(block.height(), historyRows, stateRows);
  }

  /** Applies blocks that follow one another; returns about how many bytes were written. */
  public long apply(List<DerivedRows> blocks) {
    applyToHistory(blocks);
    applyToState(blocks);
    return blocks.stream()
        .flatMap(block -> block.state().stream())
        .mapToLong(DerivedRows.State::bytes)
        .sum();
  }

  /** Applies blocks to history alone. */
  public void applyToHistory(List<DerivedRows> blocks) {
    RowWriter writer = historyWriter();
    blocks.forEach(block -> block.history().forEach(writer::put));
    finish(writer, lastHeight(blocks));
  }

  /**
   * Applies blocks to state alone: only the last of several writes of a key, as that is all it
   * shows.
   */
  public void applyToState(List<DerivedRows> blocks) {
    Map<Bytes, Optional<Row>> newest = new LinkedHashMap<>();
    for (DerivedRows block : blocks) {
      block.state().forEach(write -> newest.put(write.key(), write.row()));
    }
    RowWriter writer = stateWriter();
    newest.forEach((key, row) -> putState(key, row, writer));
    finish(writer, lastHeight(blocks));
  }

  private static long lastHeight(List<DerivedRows> blocks) {
    return blocks.get(blocks.size() - 1).height();
  }

  RowWriter stateWriter() {
    return new RowWriter(state, statePieceBytes, Durability.BUFFERED);
  }

  RowWriter historyWriter() {
    return new RowWriter(history, historyPieceBytes, Durability.BUFFERED);
  }

  /** Puts a value whole in the place of whatever value the key has, or deletes that. */
  void putState(Bytes key, Optional<Row> row, RowWriter writer) {
    statePieces.deleteOf(key, writer);
    if (row.isPresent()) {
      statePieces.note(row.get().value().size() >= statePieceBytes);
      writer.put(row.get());
    } else {
      writer.delete(key);
    }
  }

  /** Returns the newest entry of a key at or below a height, or empty where there is none. */
  Optional<HistoryEntry> newestUpTo(long height, String namespace, Bytes key) {
    try (StorageEngine.Cursor cursor =
        history.scan(DerivedKeys.historyUpTo(height, namespace, key))) {
      return cursor.next()
          ? Optional.of(DerivedKeys.historyEntry(cursor.key(), cursor.value()))
          : Optional.empty();
    }
  }

  /** Returns whether history has the entry of one transaction. */
  boolean hasHistory(Bytes row) {
    return history.get(row).isPresent();
  }

  static void finish(RowWriter writer, long height) {
    writer.record(DerivedKeys.HEIGHT, new ByteWriter(8).u64(height).take());
    writer.write();
  }

  /** Makes everything applied so far durable. */
  public void flush() {
    state.flush();
    history.flush();
  }

  /** Returns the first piece of the newest value of a key, or empty where it has none. */
  public Optional<Bytes> firstPiece(String namespace, Bytes key) {
    return stateRows.firstPiece(DerivedKeys.state(namespace, key));
  }

  /** Returns whether the value goes on in further pieces, which only a view shows unchanged. */
  public boolean continues(Bytes firstPiece) {
    return stateRows.continues(firstPiece);
  }

  /** Begins a check of both databases as they are at this moment. The caller closes it. */
  public DerivedCheck newCheck() {
    return new DerivedCheck(view());
  }

  /** Opens a view of both databases at this moment. The caller closes it. */
  public DerivedView view() {
    StorageEngine.Snapshot stateSnapshot = state.snapshot();
    try {
      StorageEngine.Snapshot historySnapshot = history.snapshot();
      return new DerivedView(
          stateSnapshot,
          new RowReader(stateSnapshot, statePieceBytes),
          historySnapshot,
          new RowReader(historySnapshot, historyPieceBytes));
    } catch (RuntimeException e) {
      stateSnapshot.close();
      throw e;
    }
  }

  /**
   * How much there is of history.
   *
   * @param rows all entries
   * @param keysWithValue the keys whose newest entry is no deletion
   */
  record HistoryRows(long rows, long keysWithValue) {}

  /** Sees both databases at one moment. Serves any number of threads. */
  public static final class DerivedView implements AutoCloseable {

    private final StorageEngine.Snapshot state;
    private final RowReader stateRows;
    private final StorageEngine.Snapshot history;
    private final RowReader historyRows;

    DerivedView(
        StorageEngine.Snapshot state,
        RowReader stateRows,
        StorageEngine.Snapshot history,
        RowReader historyRows) {
      this.state = state;
      this.stateRows = stateRows;
      this.history = history;
      this.historyRows = historyRows;
    }

    RowReader stateReader() {
      return stateRows;
    }

    RowReader historyReader() {
      return historyRows;
    }

    /** Returns the value of the key, or empty where it has none. */
    public Optional<Bytes> state(String namespace, Bytes key) {
      return stateRows.get(DerivedKeys.state(namespace, key));
    }

    /** Returns the keys of the range that have a value. */
    public CloseableIterator<StateEntry> scanState(String namespace, KeyRange range) {
      return new CursorIterator<>(
          stateRows.scan(DerivedKeys.state(namespace, range)),
          (key, value) ->
              new StateEntry(DerivedKeys.keyOf(namespace, key), stateRows.whole(key, value)));
    }

    /** Returns which transactions wrote the key, the newest first. */
    public CloseableIterator<HistoryEntry> history(String namespace, Bytes key) {
      return new CursorIterator<>(
          history.scan(DerivedKeys.history(namespace, key)), DerivedKeys::historyEntry);
    }

    /** Returns the newest entry of the key, or empty where it was never written. */
    Optional<HistoryEntry> newest(String namespace, Bytes key) {
      try (StorageEngine.Cursor cursor = history.scan(DerivedKeys.history(namespace, key))) {
        return cursor.next()
            ? Optional.of(DerivedKeys.historyEntry(cursor.key(), cursor.value()))
            : Optional.empty();
      }
    }

    /** Returns the entry of one transaction, or empty where it did not write the key. */
    Optional<HistoryEntry> historyAt(String namespace, Bytes key, long height, int ordinal) {
      Bytes row = DerivedKeys.history(namespace, key, height, ordinal);
      return history.get(row).map(value -> DerivedKeys.historyEntry(row, value));
    }

    HistoryRows historyRows() {
      long rows = 0;
      long keysWithValue = 0;
      Bytes last = Bytes.EMPTY;
      try (StorageEngine.Cursor cursor = history.scan(DerivedKeys.ALL_ROWS)) {
        while (cursor.next()) {
          rows++;
          Bytes key = DerivedKeys.keyOfHistory(cursor.key());
          boolean isNewest = !key.equals(last);
          if (isNewest && !DerivedKeys.isDeletion(cursor.value())) {
            keysWithValue++;
          }
          last = key;
        }
      }
      return new HistoryRows(rows, keysWithValue);
    }

    /** Begins to add up the rows of state. The caller closes it. */
    public RowScan sumOfState(RowHash hash) {
      return new RowScan(stateRows.scan(DerivedKeys.ALL_ROWS), stateRows::whole, hash);
    }

    /** Begins to add up the rows of history. The caller closes it. */
    public RowScan sumOfHistory(RowHash hash) {
      return new RowScan(historyRows.scan(DerivedKeys.ALL_ROWS), historyRows::whole, hash);
    }

    long stateRows() {
      long rows = 0;
      try (StorageEngine.Cursor cursor = state.scan(DerivedKeys.ALL_ROWS)) {
        while (cursor.next()) {
          rows++;
        }
      }
      return rows;
    }

    @Override
    public void close() {
      try {
        state.close();
      } finally {
        history.close();
      }
    }
  }
}
