package io.ledgerkeep.core.derived;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.rows.Row;
import io.ledgerkeep.core.rows.RowMaker;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.error.IntegrityException;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Takes state and history back to what they were at a height. Their entries of blocks above it go;
 * a key that these wrote gets the value of its last writer below, which history names and whose
 * read/write set has it. What is read to know this is not changed by it: done again, or in parts,
 * in any order, it leads to the same rows. For one thread.
 */
public final class Unwinding {

  private static final Comparator<HistoryEntry> BY_PLACE =
      Comparator.comparingLong(HistoryEntry::height)
          .thenComparingInt(HistoryEntry::transactionIndex);

  private final DerivedStore store;
  private final long height;
  private final Writers writers;

  /** Reads the read/write sets of blocks that stay. */
  @FunctionalInterface
  public interface Writers {

    /** Returns the read/write set of a transaction. */
    RwSet rwSet(long height, int ordinal, String txId);
  }

  /**
   * Prepares to take state and history back.
   *
   * @param store shows what they are, also while what is written there is not seen at once
   * @param height the height that they are taken back to
   */
  public Unwinding(DerivedStore store, long height, Writers writers) {
    this.store = store;
    this.height = height;
    this.writers = writers;
  }

  private record Key(String namespace, Bytes key) {}

  /** A key with its newest entry: one transaction may have written some keys and deleted others. */
  private record Newest(Key key, HistoryEntry entry) {}

  /**
   * Takes back what some blocks above the height wrote.
   *
   * @throws IntegrityException if state or history are not what the blocks say
   */
  public void takeBack(List<Block> blocks) {
    Map<Bytes, Key> written = new LinkedHashMap<>();
    RowWriter history = store.historyWriter();
    for (Block block : blocks) {
      for (int ordinal = 0; ordinal < block.rwSets().size(); ordinal++) {
        for (RwSet.Write write : block.rwSets().get(ordinal).writes()) {
          removeEntry(block.height(), ordinal, write, history);
          written.put(
              DerivedKeys.state(write.namespace(), write.key()),
              new Key(write.namespace(), write.key()));
        }
      }
    }
    history.write();
    putBack(written);
  }

  private void removeEntry(long at, int ordinal, RwSet.Write write, RowWriter history) {
    Bytes row = DerivedKeys.history(write.namespace(), write.key(), at, ordinal);
    if (!store.hasHistory(row)) {
      throw notWhole("has no entry of a key that block " + at + " wrote");
    }
    history.delete(row);
  }

  private void putBack(Map<Bytes, Key> written) {
    RowWriter state = store.stateWriter();
    Map<HistoryEntry, Map<Bytes, Newest>> byWriter = new TreeMap<>(BY_PLACE);
    written.forEach(
        (row, key) ->
            store
                .newestUpTo(height, key.namespace(), key.key())
                .ifPresentOrElse(
                    writer ->
                        byWriter
                            .computeIfAbsent(writer, any -> new LinkedHashMap<>())
                            .put(row, new Newest(key, writer)),
                    () -> store.putState(row, Optional.empty(), state)));
    byWriter.forEach((writer, keys) -> putBack(writer, keys, state));
    state.write();
  }

  /** One transaction may have written many keys: it is read once for all of them. */
  private void putBack(HistoryEntry writer, Map<Bytes, Newest> keys, RowWriter state) {
    RwSet rwSet = writers.rwSet(writer.height(), writer.transactionIndex(), writer.txId());
    Map<Key, RwSet.Write> writes = new LinkedHashMap<>();
    for (RwSet.Write write : rwSet.writes()) {
      writes.put(new Key(write.namespace(), write.key()), write);
    }
    keys.forEach(
        (row, newest) ->
            store.putState(row, valueOf(writes.get(newest.key()), newest.entry(), row), state));
  }

  private static Optional<Row> valueOf(
      RwSet.@Nullable Write write, HistoryEntry writer, Bytes row) {
    if (write == null || write.value().isEmpty() != writer.deleted()) {
      throw notWhole(
          "says of transaction '%s' of block %s what it did not write"
              .formatted(writer.txId(), writer.height()));
    }
    return write.value().map(value -> RowMaker.NOTHING_AHEAD.row(row, Rope.of(value)));
  }

  private static IntegrityException notWhole(String what) {
    return new IntegrityException("the history database " + what);
  }

  /** Writes how far state and history have come, once all blocks were taken back. */
  public void finish() {
    DerivedStore.finish(store.historyWriter(), height);
    DerivedStore.finish(store.stateWriter(), height);
  }
}
