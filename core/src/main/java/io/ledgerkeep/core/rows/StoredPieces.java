package io.ledgerkeep.core.rows;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;

/**
 * Removes the further pieces of rows that are overwritten, so that no piece outlives its row. As
 * long as a database never had a large row, which is the rule, this costs nothing. For one thread.
 */
public final class StoredPieces {

  private final StorageEngine engine;
  private boolean any;

  /** Looks once whether the range of pieces holds any. */
  public StoredPieces(StorageEngine engine, KeyRange pieces) {
    this.engine = engine;
    try (StorageEngine.Cursor cursor = engine.scan(pieces)) {
      this.any = cursor.next();
    }
  }

  /** Notes whether a row that is about to be put has further pieces. */
  public void note(boolean large) {
    any |= large;
  }

  /** Deletes the further pieces that the row has on the engine. */
  public void deleteOf(Bytes rowKey, RowWriter writer) {
    if (!any) {
      return;
    }
    int pieceKeySize = rowKey.size() + 4;
    try (StorageEngine.Cursor cursor = engine.scan(PieceKeys.pieces(rowKey))) {
      while (cursor.next()) {
        if (cursor.key().size() == pieceKeySize) {
          writer.delete(cursor.key());
        }
      }
    }
  }
}
