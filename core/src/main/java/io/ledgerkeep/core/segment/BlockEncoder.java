package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import java.io.IOException;

/**
 * Turns blocks into what the streams hold of them. The writer stores it; a check compares it with
 * what is stored.
 */
final class BlockEncoder {

  /** Takes the content of streams, piece by piece. */
  interface Sink {

    /** Takes a number of variable length. */
    void varint(Stream stream, long value) throws IOException;

    /** Takes bytes as they are. */
    void bytes(Stream stream, Bytes bytes) throws IOException;
  }

  private BlockEncoder() {}

  /**
   * Gives the record of a block: its prefix, which is what is no row, then two rows for each
   * transaction. Returns the size of the prefix.
   */
  static long record(StoredBlock block, Sink sink) throws IOException {
    Bytes head = head(block);
    sink.bytes(Stream.DATA, head);
    sink.bytes(Stream.DATA, block.additional());
    sink.varint(Stream.DATA, block.transactions().size());
    for (int i = 0; i < block.transactions().size(); i++) {
      row(block.transactions().get(i), sink);
      row(block.rwSets().get(i), sink);
    }
    return prefixBytes(head, block);
  }

  /** Gives what finds the parts of the record, and the leaves. */
  static void index(StoredBlock block, long prefixBytes, BlockDigests digests, Sink sink)
      throws IOException {
    long rowBytes = 0;
    long lengthBytes = 0;
    int count = block.transactions().size();
    for (int i = 0; i < count; i++) {
      long transaction = block.transactions().get(i).size();
      long rwSet = block.rwSets().get(i).size();
      sink.varint(Stream.TXS, transaction);
      sink.varint(Stream.TXS, rwSet);
      sink.bytes(Stream.LEAVES, digests.transactionLeaves().get(i));
      sink.bytes(Stream.LEAVES, digests.rwSetLeaves().get(i));
      int lengths = varintBytes(transaction) + varintBytes(rwSet);
      lengthBytes += lengths;
      rowBytes += lengths + transaction + rwSet;
    }
    sink.varint(Stream.BLOCKS, prefixBytes);
    sink.varint(Stream.BLOCKS, rowBytes);
    sink.varint(Stream.BLOCKS, count);
    sink.varint(Stream.BLOCKS, lengthBytes);
  }

  /** Gives the entries of a locator. */
  static void locator(Stream stream, Locator locator, Sink sink) throws IOException {
    for (long entry : locator.sorted()) {
      sink.bytes(stream, new ByteWriter(SegmentFormat.LOCATOR_ENTRY_BYTES).u64(entry).take());
    }
  }

  static int varintBytes(long value) {
    return Math.max(1, (70 - Long.numberOfLeadingZeros(value)) / 7);
  }

  private static Bytes head(StoredBlock block) {
    ByteWriter out = new ByteWriter(256 + block.head().header().size());
    block.head().writeTo(out);
    return out.varint(block.additional().size()).take();
  }

  static long prefixBytes(StoredBlock block) {
    return prefixBytes(head(block), block);
  }

  private static long prefixBytes(Bytes head, StoredBlock block) {
    long additional = block.additional().size();
    return head.size() + additional + varintBytes(block.transactions().size());
  }

  private static void row(Rope row, Sink sink) throws IOException {
    sink.varint(Stream.DATA, row.size());
    for (Bytes part : row.parts()) {
      sink.bytes(Stream.DATA, part);
    }
  }
}
