package io.ledgerkeep.core.rows;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.storage.StorageEngine;
import java.util.function.BinaryOperator;

/**
 * Adds up the hashes of the rows of a range, some at a time. For one thread at a time; close it.
 */
public final class RowScan implements AutoCloseable {

  private final StorageEngine.Cursor cursor;
  private final BinaryOperator<Bytes> shown;
  private final RowHash hash;
  private long sum;
  private long rows;
  private boolean ended;

  /**
   * Begins before the first row of a cursor, which is closed with it.
   *
   * @param shown returns a row as it is hashed, of its key and what the cursor shows of it
   */
  public RowScan(StorageEngine.Cursor cursor, BinaryOperator<Bytes> shown, RowHash hash) {
    this.cursor = cursor;
    this.shown = shown;
    this.hash = hash;
  }

  /** Goes on by so many rows, as far as there are so many. */
  public RowScan next(int count) {
    for (int i = 0; i < count && !ended; i++) {
      if (cursor.next()) {
        Bytes key = cursor.key();
        sum += hash.of(key, shown.apply(key, cursor.value()));
        rows++;
      } else {
        ended = true;
      }
    }
    return this;
  }

  /** Returns whether there are no more rows. */
  public boolean isEnded() {
    return ended;
  }

  /** Returns the sum of the rows so far. */
  public long sum() {
    return sum;
  }

  /** Returns how many rows there were so far. */
  public long rows() {
    return rows;
  }

  @Override
  public void close() {
    cursor.close();
  }
}
