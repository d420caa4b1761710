package io.ledgerkeep.core.segment;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.MerkleTree;
import java.util.ArrayList;
import java.util.List;

/**
 * What the blocks of a segment sum up to, however they are compressed.
 *
 * @param firstHeight the height of the first block
 * @param blocks the number of blocks
 * @param transactions the number of transactions
 * @param previousHash the hash that the first block names as the one before it
 * @param lastHash the hash of the last block
 * @param configHeights the heights of genesis and config blocks, ascending
 * @param contentRoot the Merkle root over the record digests of the blocks
 */
public record SegmentContents(
    long firstHeight,
    int blocks,
    long transactions,
    Bytes previousHash,
    Bytes lastHash,
    List<Long> configHeights,
    Bytes contentRoot) {

  /** Copies the list. */
  public SegmentContents {
    configHeights = List.copyOf(configHeights);
  }

  /** Returns the height of the last block. */
  public long lastHeight() {
    return firstHeight + blocks - 1;
  }

  void writeTo(ByteWriter out) {
    out.varint(firstHeight).varint(blocks).varint(transactions);
    out.sized(previousHash).sized(lastHash).raw(contentRoot);
    out.varint(configHeights.size());
    for (long height : configHeights) {
      out.varint(height - firstHeight);
    }
  }

  static SegmentContents readFrom(ByteReader in) {
    long firstHeight = in.varint();
    long blocks = in.varint();
    if (blocks < 1 || blocks > SegmentFormat.MAX_BLOCKS) {
      throw in.damaged("a segment does not have " + blocks + " blocks");
    }
    long transactions = in.varint();
    if (firstHeight > Long.MAX_VALUE - blocks || transactions > Integer.MAX_VALUE) {
      throw in.damaged("heights or transactions are out of range");
    }
    Bytes previousHash = in.sized();
    Bytes lastHash = in.sized();
    Bytes contentRoot = in.raw(Digests.SIZE);
    int configs = in.count();
    List<Long> configHeights = new ArrayList<>(configs);
    for (int i = 0; i < configs; i++) {
      configHeights.add(firstHeight + in.varint());
    }
    return new SegmentContents(
        firstHeight,
        (int) blocks,
        transactions,
        previousHash,
        lastHash,
        configHeights,
        contentRoot);
  }

  /** Throws if these, computed from the blocks, are not what the footer says. */
  void requireEqual(String segment, SegmentContents footer) {
    SegmentFormat.expect(segment, "first height", footer.firstHeight, firstHeight);
    SegmentFormat.expect(segment, "number of blocks", footer.blocks, blocks);
    SegmentFormat.expect(segment, "number of transactions", footer.transactions, transactions);
    SegmentFormat.expect(segment, "hash before the first", footer.previousHash, previousHash);
    SegmentFormat.expect(segment, "hash of the last", footer.lastHash, lastHash);
    SegmentFormat.expect(segment, "config heights", footer.configHeights, configHeights);
    SegmentFormat.expect(segment, "content root", footer.contentRoot, contentRoot);
  }

  /** Adds up blocks. For one thread. */
  static final class Tally {

    private final long firstHeight;
    private final MerkleTree records;
    private final List<Long> configHeights = new ArrayList<>();
    private int blocks;
    private long transactions;
    private Bytes previousHash = Bytes.EMPTY;
    private Bytes lastHash = Bytes.EMPTY;

    Tally(Digests digests, long firstHeight) {
      this.firstHeight = firstHeight;
      records = new MerkleTree(digests.newDigest());
    }

    void add(BlockMeta meta, Bytes recordDigest) {
      if (blocks == 0) {
        previousHash = meta.previousHash();
      }
      if (meta.kind() != Block.Kind.NORMAL) {
        configHeights.add(meta.height());
      }
      records.add(recordDigest);
      lastHash = meta.hash();
      transactions += meta.transactionCount();
      blocks++;
    }

    /** Returns the height of the next block. */
    long nextHeight() {
      return firstHeight + blocks;
    }

    /** Returns whether the hash is what the next block has to name as the one before it. */
    boolean continuesWith(Bytes hash) {
      return blocks == 0 || lastHash.equals(hash);
    }

    int blocks() {
      return blocks;
    }

    SegmentContents contents() {
      return new SegmentContents(
          firstHeight, blocks, transactions, previousHash, lastHash, configHeights, records.root());
    }
  }
}
