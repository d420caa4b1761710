package io.ledgerkeep.core.derived;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.core.derived.DerivedStore.DerivedView;
import io.ledgerkeep.core.derived.DerivedStore.HistoryRows;
import io.ledgerkeep.error.IntegrityException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/**
 * Compares state and history with the writes of the blocks that they come from: what was changed,
 * set back or removed in them shows, since blocks are proven by their digests. Every block is
 * checked once, in any order, on any thread.
 */
public final class DerivedCheck implements AutoCloseable {

  private final DerivedView view;
  private final LongAdder historyRows = new LongAdder();

  /** Checks a view, which is closed with the check. */
  DerivedCheck(DerivedView view) {
    this.view = view;
  }

  /**
   * Checks what a block wrote.
   *
   * @throws IntegrityException if state or history tell otherwise
   */
  public void check(Block block) {
    for (int ordinal = 0; ordinal < block.rwSets().size(); ordinal++) {
      RwSet rwSet = block.rwSets().get(ordinal);
      Map<Bytes, RwSet.Write> last = new LinkedHashMap<>();
      for (RwSet.Write write : rwSet.writes()) {
        last.put(DerivedKeys.state(write.namespace(), write.key()), write);
      }
      for (RwSet.Write write : last.values()) {
        check(
            write,
            new HistoryEntry(block.height(), ordinal, rwSet.txId(), write.value().isEmpty()));
      }
    }
  }

  private void check(RwSet.Write write, HistoryEntry expected) {
    historyRows.increment();
    Optional<HistoryEntry> entry =
        view.historyAt(
            write.namespace(), write.key(), expected.height(), expected.transactionIndex());
    if (!entry.equals(Optional.of(expected))) {
      throw wrong("history", expected, entry.isEmpty() ? "has no entry" : "tells something else");
    }
    if (!view.state(write.namespace(), write.key()).equals(write.value())
        && view.newest(write.namespace(), write.key()).equals(entry)) { // none wrote it later
      throw wrong("state", expected, "does not have the value that was written last");
    }
  }

  private static IntegrityException wrong(String database, HistoryEntry write, String what) {
    return new IntegrityException(
        "the %s database %s of a key that transaction '%s' of block %s wrote"
            .formatted(database, what, write.txId(), write.height()));
  }

  /**
   * Checks that there is nothing else, once all blocks were checked: then history is what they say,
   * and tells how many keys have a value.
   *
   * @throws IntegrityException if there is
   */
  public void finish() {
    HistoryRows found = view.historyRows();
    requireRows("history", historyRows.sum(), found.rows());
    requireRows("state", found.keysWithValue(), view.stateRows());
  }

  private static void requireRows(String database, long expected, long found) {
    if (expected != found) {
      throw new IntegrityException(
          "the %s database has %s entries, the blocks account for %s"
              .formatted(database, found, expected));
    }
  }

  @Override
  public void close() {
    view.close();
  }
}
