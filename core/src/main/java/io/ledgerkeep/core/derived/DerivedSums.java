package io.ledgerkeep.core.derived;

import com.google.common.primitives.ImmutableLongArray;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.core.rows.LastRows;
import io.ledgerkeep.core.rows.RowHash;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
  public record Part(
      long history, int historyRows, ImmutableLongArray stateKeys, ImmutableLongArray stateRows) {}

  /** Returns what blocks add, by what they say and not by what is written of it; on any thread. */
  public Part of(List<Block> blocks) {
    long history = 0;
    int rows = 0;
    ImmutableLongArray.Builder stateKeys = ImmutableLongArray.builder();
    ImmutableLongArray.Builder stateRows = ImmutableLongArray.builder();
    for (Block block : blocks) {
      for (int ordinal = 0; ordinal < block.rwSets().size(); ordinal++) {
        RwSet rwSet = block.rwSets().get(ordinal);
        Map<Bytes, RwSet.Write> last = new LinkedHashMap<>();
        for (RwSet.Write write : rwSet.writes()) {
          last.put(DerivedKeys.state(write.namespace(), write.key()), write);
        }
        for (Map.Entry<Bytes, RwSet.Write> entry : last.entrySet()) {
          RwSet.Write write = entry.getValue();
          stateKeys.add(hash.of(entry.getKey()));
          stateRows.add(
              write.value().map(value -> hash.of(entry.getKey(), value)).orElse(LastRows.NONE));
          history +=
              hash.of(
                  DerivedKeys.history(write.namespace(), write.key(), block.height(), ordinal),
                  DerivedKeys.historyValue(rwSet.txId(), write.value().isEmpty()));
          rows++;
        }
      }
    }
    return new Part(history, rows, stateKeys.build(), stateRows.build());
  }

  /** Adds blocks; for one thread. */
  public void add(Part part) {
    history += part.history();
    historyRows += part.historyRows();
    for (int i = 0; i < part.stateKeys().length(); i++) {
      state.add(part.stateKeys().get(i), part.stateRows().get(i));
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
