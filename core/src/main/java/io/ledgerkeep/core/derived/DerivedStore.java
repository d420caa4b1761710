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
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.core.rows.StoredPieces;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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

  /** Opens state and history on their engines. */
  public DerivedStore(
      StorageEngine state, int statePieceBytes, StorageEngine history, int historyPieceBytes) {
    this.state = state;
    this.statePieceBytes = statePieceBytes;
    this.history = history;
    this.historyPieceBytes = historyPieceBytes;
    this.stateRows = RowReader.newest(state, statePieceBytes);
    this.statePieces = new StoredPieces(state, DerivedKeys.PIECES);
  }

  /** Returns the height that state has come to, or -1. */
  public long stateHeight() {
    return height(state);
  }

  /** Returns the height that history has come to, or -1. */
  public long historyHeight() {
    return height(history);
  }

  private static long height(StorageEngine engine) {
    return engine
        .get(DerivedKeys.HEIGHT)
        .map(row -> new ByteReader(row, "the record of the height").u64())
        .orElse(NONE);
  }

  /** Applies blocks that follow one another; returns about how many bytes were written. */
  public long apply(List<Block> blocks) {
    RowWriter historyWriter = new RowWriter(history, historyPieceBytes, Durability.BUFFERED);
    Map<Bytes, Optional<Bytes>> newest = new LinkedHashMap<>();
    long bytes = 0;
    for (Block block : blocks) {
      for (int ordinal = 0; ordinal < block.rwSets().size(); ordinal++) {
        RwSet rwSet = block.rwSets().get(ordinal);
        for (RwSet.Write write : rwSet.writes()) {
          Bytes key = DerivedKeys.state(write.namespace(), write.key());
          newest.put(key, write.value());
          historyWriter.put(
              DerivedKeys.history(write.namespace(), write.key(), block.height(), ordinal),
              DerivedKeys.historyValue(rwSet.txId(), write.value().isEmpty()));
          bytes += 2L * key.size() + write.value().map(Bytes::size).orElse(0) + 64;
        }
      }
    }
    long height = blocks.get(blocks.size() - 1).height();
    finish(historyWriter, height);
    applyState(newest, height);
    return bytes;
  }

  /** Writes only the last of several writes of a key: that is all state ever shows. */
  private void applyState(Map<Bytes, Optional<Bytes>> newest, long height) {
    RowWriter writer = new RowWriter(state, statePieceBytes, Durability.BUFFERED);
    newest.forEach(
        (key, value) -> {
          statePieces.deleteOf(key, writer);
          if (value.isPresent()) {
            statePieces.note(value.get().size() >= statePieceBytes);
            writer.put(key, Rope.of(value.get()));
          } else {
            writer.delete(key);
          }
        });
    finish(writer, height);
  }

  private static void finish(RowWriter writer, long height) {
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

  /** Sees both databases at one moment. */
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

    long historyRows() {
      return rows(history);
    }

    long stateRows() {
      return rows(state);
    }

    private static long rows(StorageEngine.Reader reader) {
      long rows = 0;
      try (StorageEngine.Cursor cursor = reader.scan(DerivedKeys.ALL_ROWS)) {
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
