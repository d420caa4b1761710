package io.ledgerkeep.core.chain;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.BlockHead;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.rows.Row;
import io.ledgerkeep.core.rows.RowMaker;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * A block with all that can be computed of it without the chain, so that several threads can.
 *
 * @param block the block
 * @param stored its rows
 * @param digests its digests
 * @param recordDigest equal for equal blocks only
 * @param rows its rows but for the meta, which depends on the chain, in the order of writing: what
 *     leads to another row comes after it, so that a sweep that finds that one finds both
 */
public record Prepared(
    Block block, StoredBlock stored, BlockDigests digests, Bytes recordDigest, Rows rows) {

  /**
   * The rows of a block.
   *
   * @param beforeMeta the body and the entries of the index of ids
   * @param hash the entry of the index of hashes, which comes after the meta
   */
  record Rows(List<Row> beforeMeta, Row hash) {}

  /**
   * Prepares a block.
   *
   * @param maker makes its rows
   * @throws IllegalArgumentException if it is larger than {@link Block#MAX_BYTES}
   */
  public static Prepared of(Block block, MessageDigest digest, RowMaker maker) {
    long rawBytes = block.rawBytes();
    if (rawBytes > Block.MAX_BYTES) {
      throw new IllegalArgumentException(
          "block %s has %s bytes; the limit is %s"
              .formatted(block.height(), rawBytes, Block.MAX_BYTES));
    }
    StoredBlock stored = StoredBlock.of(block);
    BlockDigests digests = BlockDigests.of(stored, digest);
    BlockMeta meta = digests.meta(stored);
    return new Prepared(
        block, stored, digests, BlockDigests.recordDigest(meta, digest), rows(stored, maker));
  }

  private static Rows rows(StoredBlock block, RowMaker maker) {
    BlockHead head = block.head();
    List<Row> rows = body(block, maker);
    for (int i = 0; i < block.transactions().size(); i++) {
      String id = StoredBlock.transactionId(block.transactions().get(i).parts().get(0));
      Bytes location = new ByteWriter(12).u64(head.height()).u32(i).take();
      rows.add(maker.row(ChainKeys.id(id), Rope.of(location)));
    }
    Bytes height = new ByteWriter(8).u64(head.height()).take();
    return new Rows(rows, maker.row(ChainKeys.hash(head.hash()), Rope.of(height)));
  }

  /** Returns the rows of a body; others may be added to the list. */
  static List<Row> body(StoredBlock block, RowMaker maker) {
    BlockHead head = block.head();
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < block.transactions().size(); i++) {
      rows.add(maker.row(body(head, i, ChainKeys.TRANSACTION), block.transactions().get(i)));
      rows.add(maker.row(body(head, i, ChainKeys.RW_SET), block.rwSets().get(i)));
    }
    if (!block.additional().isEmpty()) {
      rows.add(
          maker.row(ChainKeys.additional(head.kind(), head.height()), Rope.of(block.additional())));
    }
    return rows;
  }

  private static Bytes body(BlockHead head, int ordinal, int part) {
    return ChainKeys.body(head.kind(), head.height(), ordinal, part);
  }

  /** Returns the number of rows of the body, without pieces. */
  int rowCount() {
    return 3 * stored.transactions().size() + 3;
  }

  /** Returns what the rows take in a batch at most, keys included. */
  long batchBytes() {
    return stored.bodyBytes() + block.header().size() + 512 + rowCount() * 64L + idBytes();
  }

  private long idBytes() {
    long sum = 0;
    for (var transaction : block.transactions()) {
      sum += 3L * transaction.id().length();
    }
    return sum;
  }
}
