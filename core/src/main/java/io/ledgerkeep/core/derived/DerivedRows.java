package io.ledgerkeep.core.derived;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.rows.Row;
import java.util.List;
import java.util.Optional;

/**
 * What a block puts into state and history, made ready to be applied.
 *
 * @param height the height of the block
 * @param history a row for each of its writes
 * @param state its writes, in their order: of several of a key the last one holds
 */
public record DerivedRows(long height, List<Row> history, List<State> state) {

  /**
   * One write.
   *
   * @param row empty where the key is deleted
   */
  record State(Bytes key, Optional<Row> row) {

    /** Returns about how many bytes are written for it, history included. */
    long bytes() {
      return 2L * key.size() + row.map(of -> of.value().size()).orElse(0L) + 64;
    }
  }
}
