package io.ledgerkeep.core.rows;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.storage.StorageEngine;
import java.util.Optional;

/**
 * Makes rows ready for the writer of an engine: a row of one piece is joined, and the engine does
 * ahead what it can. Serves any number of threads.
 */
public final class RowMaker {

  /** Leaves everything to the writer, which holds no copies of rows that are not its turn yet. */
  public static final RowMaker NOTHING_AHEAD = new RowMaker(Optional.empty(), 0);

  private final Optional<AheadEngine> engine;
  private final int pieceBytes;

  private RowMaker(Optional<AheadEngine> engine, int pieceBytes) {
    this.engine = engine;
    this.pieceBytes = pieceBytes;
  }

  /** Returns a maker of rows of an engine, which are cut in pieces of the given size. */
  public static RowMaker of(StorageEngine engine, int pieceBytes) {
    return new RowMaker(
        engine instanceof AheadEngine working ? Optional.of(working) : Optional.empty(),
        pieceBytes);
  }

  /** Returns the row, as ready as it can be. */
  public Row row(Bytes key, Rope value) {
    if (value.size() >= pieceBytes) {
      return new Row(key, value, Optional.empty());
    }
    Bytes joined = value.join();
    return new Row(key, Rope.of(joined), engine.flatMap(working -> working.ahead(key, joined)));
  }
}
