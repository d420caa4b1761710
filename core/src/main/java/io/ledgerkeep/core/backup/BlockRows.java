package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.core.chain.ChainTables;
import io.ledgerkeep.storage.StorageEngine;
import java.util.ArrayList;
import java.util.List;

/**
 * Steps through the rows of blocks, block by block, whatever tables they are in. For one thread;
 * close it.
 */
final class BlockRows implements AutoCloseable {

  /** A table of which the rows up to some height are passed. */
  private static final class Table {

    private final StorageEngine.Cursor cursor;
    private boolean atRow;

    Table(StorageEngine.Cursor cursor) {
      this.cursor = cursor;
      this.atRow = cursor.next();
    }

    boolean isAt(long height) {
      return atRow && ChainKeys.heightOf(cursor.key()).orElseThrow() == height;
    }
  }

  private final List<Table> tables = new ArrayList<>();
  private final HeightRange heights;
  private long height;
  private int table;
  private boolean isOnRow;

  /** Reads rows as they lie there; bodies of normal blocks up to the pivot are passed over. */
  BlockRows(StorageEngine.Reader stored, HeightRange heights, long pivot) {
    this.heights = heights;
    this.height = heights.first();
    try {
      for (KeyRange range : ChainTables.ofHeights(heights.first(), heights.last(), pivot)) {
        tables.add(new Table(stored.scan(range)));
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** Returns whether there is a row of the present height left, and steps to it. */
  boolean nextOfHeight() {
    if (isOnRow) {
      Table passed = tables.get(table);
      passed.atRow = passed.cursor.next();
      isOnRow = false;
    }
    while (table < tables.size()) {
      if (tables.get(table).isAt(height)) {
        isOnRow = true;
        return true;
      }
      table++;
    }
    return false;
  }

  /** Returns whether there are heights left. */
  boolean hasHeight() {
    return height <= heights.last();
  }

  /** Goes on to the next height; for who has seen all rows of the present one. */
  void nextHeight() {
    height++;
    table = 0;
  }

  long height() {
    return height;
  }

  Bytes key() {
    return tables.get(table).cursor.key();
  }

  Bytes value() {
    return tables.get(table).cursor.value();
  }

  @Override
  public void close() {
    tables.forEach(open -> open.cursor.close());
  }
}
