package io.ledgerkeep.core.rows;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.codec.ByteWriter;

/** Where the pieces of a row lie. The first byte of a key is its table, from 0x01 to 0x7F. */
public final class PieceKeys {

  private static final int PIECES = 0x80;

  private PieceKeys() {}

  /** Returns the key of a piece, counted from 1: the first piece lies at the key of the row. */
  static Bytes piece(Bytes rowKey, int number) {
    return new ByteWriter(rowKey.size() + 4)
        .u8(rowKey.get(0) | PIECES)
        .raw(rowKey.slice(1, rowKey.size()))
        .u32(number)
        .take();
  }

  /** Returns the range of the pieces of one row; other rows of other lengths may lie between. */
  static KeyRange pieces(Bytes rowKey) {
    return KeyRange.of(piece(rowKey, 0), piece(rowKey, -1));
  }

  /** Returns the range that holds the pieces of the rows of a range within one table. */
  public static KeyRange pieces(KeyRange rows) {
    return KeyRange.of(mark(rows.from()), mark(rows.until().orElseThrow()));
  }

  private static Bytes mark(Bytes key) {
    return new ByteWriter(key.size()).u8(key.get(0) | PIECES).raw(key.slice(1, key.size())).take();
  }
}
