package io.ledgerkeep.core.chain;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.StoredBlock;
import java.security.MessageDigest;

/**
 * A block with all that can be computed of it without the chain, so that several threads can.
 *
 * @param block the block
 * @param stored its rows
 * @param digests its digests
 * @param recordDigest equal for equal blocks only
 */
public record Prepared(Block block, StoredBlock stored, BlockDigests digests, Bytes recordDigest) {

  /**
   * Prepares a block.
   *
   * @throws IllegalArgumentException if it is larger than {@link Block#MAX_BYTES}
   */
  public static Prepared of(Block block, MessageDigest digest) {
    long rawBytes = block.rawBytes();
    if (rawBytes > Block.MAX_BYTES) {
      throw new IllegalArgumentException(
          "block %s has %s bytes; the limit is %s"
              .formatted(block.height(), rawBytes, Block.MAX_BYTES));
    }
    StoredBlock stored = StoredBlock.of(block);
    BlockDigests digests = BlockDigests.of(stored, digest);
    BlockMeta meta = digests.meta(stored);
    return new Prepared(block, stored, digests, BlockDigests.recordDigest(meta, digest));
  }

  /** Returns the number of rows of the body, without pieces. */
  int rows() {
    return 3 * stored.transactions().size() + 3;
  }

  /** Returns what the rows take in a batch at most, keys included. */
  long batchBytes() {
    return stored.bodyBytes() + block.header().size() + 512 + rows() * 64L + idBytes();
  }

  private long idBytes() {
    long sum = 0;
    for (var transaction : block.transactions()) {
      sum += 3L * transaction.id().length();
    }
    return sum;
  }
}
