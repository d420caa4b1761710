package io.ledgerkeep.core.segment;

/** Where each block of a segment is in the other streams; read once per segment. Immutable. */
final class BlockIndex {

  /** Two lengths, a row of an id and a row of two counts. */
  private static final int MIN_ROWS_BYTES = 6;

  private final int blocks;
  private final long[] dataStart;
  private final int[] prefixBytes;
  private final int[] firstTransaction;
  private final long[] lengthsStart;

  private BlockIndex(int blocks) {
    this.blocks = blocks;
    dataStart = new long[blocks + 1];
    prefixBytes = new int[blocks];
    firstTransaction = new int[blocks + 1];
    lengthsStart = new long[blocks + 1];
  }

  /** Reads the index; what it says fits the other streams. */
  static BlockIndex read(StreamCursor in, String segment, SegmentFooter footer) {
    FrameTable table = footer.frames();
    BlockIndex index = new BlockIndex(footer.contents().blocks());
    for (int i = 0; i < index.blocks; i++) {
      long dataLeft = table.rawBytes(Stream.DATA) - index.dataStart[i];
      index.prefixBytes[i] = in.length(dataLeft);
      long rows = in.varint();
      if (rows > dataLeft - index.prefixBytes[i]) {
        throw in.damaged("block " + i + " of the segment exceeds the data");
      }
      index.dataStart[i + 1] = index.dataStart[i] + index.prefixBytes[i] + rows;
      int transactions = in.length(rows / MIN_ROWS_BYTES);
      index.firstTransaction[i + 1] = index.firstTransaction[i] + transactions;
      index.lengthsStart[i + 1] =
          index.lengthsStart[i] + in.length(table.rawBytes(Stream.TXS) - index.lengthsStart[i]);
    }
    in.end();
    index.requireWhole(segment, footer);
    return index;
  }

  private void requireWhole(String segment, SegmentFooter footer) {
    long transactions = footer.contents().transactions();
    FrameTable table = footer.frames();
    SegmentFormat.expect(
        segment, "end of the data", table.rawBytes(Stream.DATA), dataStart[blocks]);
    SegmentFormat.expect(
        segment, "number of transactions", transactions, (long) firstTransaction[blocks]);
    SegmentFormat.expect(
        segment, "end of the row lengths", table.rawBytes(Stream.TXS), lengthsStart[blocks]);
    SegmentFormat.expect(
        segment,
        "bytes of leaves",
        transactions * SegmentFormat.LEAF_PAIR_BYTES,
        table.rawBytes(Stream.LEAVES));
    SegmentFormat.expect(
        segment,
        "bytes of the tx locator",
        transactions * SegmentFormat.LOCATOR_ENTRY_BYTES,
        table.rawBytes(Stream.TX_LOCATOR));
    SegmentFormat.expect(
        segment,
        "bytes of the hash locator",
        (long) blocks * SegmentFormat.LOCATOR_ENTRY_BYTES,
        table.rawBytes(Stream.HASH_LOCATOR));
  }

  /** Returns where the record of a block begins in the data; also of the block after the last. */
  long dataStart(int block) {
    return dataStart[block];
  }

  /** Returns the size of what precedes the rows of a block. */
  int prefixBytes(int block) {
    return prefixBytes[block];
  }

  /** Returns the number of the first transaction of a block; also of the block after the last. */
  int firstTransaction(int block) {
    return firstTransaction[block];
  }

  /** Returns the number of transactions of a block. */
  int transactions(int block) {
    return firstTransaction[block + 1] - firstTransaction[block];
  }

  /** Returns where the row lengths of a block begin; also of the block after the last. */
  long lengthsStart(int block) {
    return lengthsStart[block];
  }

  /** Returns the block that holds the transaction of the number, in the segment. */
  int blockOf(int transaction) {
    int low = 0;
    int high = blocks - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (firstTransaction[middle] <= transaction) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }
}
