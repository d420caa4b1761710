package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import java.io.IOException;

/** Turns blocks into what the data of a segment holds of them. */
final class BlockEncoder {

  /** Takes data, piece by piece. */
  interface Sink {

    /** Takes a number of variable length. */
    void varint(long value) throws IOException;

    /** Takes bytes as they are. */
    void bytes(Bytes bytes) throws IOException;
  }

  private BlockEncoder() {}

  /**
   * Gives the record of a block: its prefix, which is what is no row, then two rows for each
   * transaction.
   */
  static void record(StoredBlock block, Sink out) throws IOException {
    out.bytes(head(block));
    out.bytes(block.additional());
    out.varint(block.transactions().size());
    for (int i = 0; i < block.transactions().size(); i++) {
      row(block.transactions().get(i), out);
      row(block.rwSets().get(i), out);
    }
  }

  /** Returns the size of the prefix of a block. */
  static long prefixBytes(StoredBlock block) {
    long additional = block.additional().size();
    return head(block).size() + additional + varintBytes(block.transactions().size());
  }

  /** Returns the entries of a locator. */
  static Bytes locator(Locator locator) {
    long[] entries = locator.sorted();
    ByteWriter out = new ByteWriter(entries.length * SegmentFormat.LOCATOR_ENTRY_BYTES);
    for (long entry : entries) {
      out.u64(entry);
    }
    return out.take();
  }

  static int varintBytes(long value) {
    return Math.max(1, (70 - Long.numberOfLeadingZeros(value)) / 7);
  }

  private static Bytes head(StoredBlock block) {
    ByteWriter out = new ByteWriter(256 + block.head().header().size());
    block.head().writeTo(out);
    return out.varint(block.additional().size()).take();
  }

  private static void row(Rope row, Sink out) throws IOException {
    out.varint(row.size());
    for (Bytes part : row.parts()) {
      out.bytes(part);
    }
  }
}
