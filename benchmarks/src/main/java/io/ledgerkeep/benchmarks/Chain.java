package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.testkit.SampleChain;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The made-up chains that are measured. */
enum Chain {
  /** Blocks of one transaction of 300 bytes with one read and up to two writes. */
  SMALL(1000, 1000) {
    @Override
    SampleChain.Builder builder() {
      return base()
          .transactionsPerBlock(1)
          .payloadBytes(300)
          .readsPerTransaction(1)
          .writesPerTransaction(2)
          .valueBytes(60)
          .keys(100_000);
    }
  },

  /** Blocks of four transactions of 64 KiB with up to two writes of 1 KiB each. */
  LARGE(20, 100) {
    @Override
    SampleChain.Builder builder() {
      return base()
          .transactionsPerBlock(4)
          .payloadBytes(64 << 10)
          .readsPerTransaction(1)
          .writesPerTransaction(2)
          .valueBytes(1 << 10)
          .keys(1_000);
    }
  };

  /** So many blocks are handed to the ledger at once where the chain is made ready. */
  final int blocksAtOnce;

  /** So many blocks are committed one by one in a round. */
  final int commitsPerRound;

  Chain(int blocksAtOnce, int commitsPerRound) {
    this.blocksAtOnce = blocksAtOnce;
    this.commitsPerRound = commitsPerRound;
  }

  abstract SampleChain.Builder builder();

  private static SampleChain.Builder base() {
    return SampleChain.builder().seed(1).configAt(Chain::isConfig).emptyAt(height -> false);
  }

  private static boolean isConfig(long height) {
    return height % 1000 == 500;
  }

  Iterator<Block> blocks() {
    return builder().build().iterator();
  }

  long length(Setting setting) {
    return this == SMALL ? setting.smallBlocks() : setting.largeBlocks();
  }

  /** Returns the height up to which nine tenths of a chain are archived. */
  static long ninetyPercent(long length) {
    long height = Math.min(length * 9 / 10, length - 11);
    return isConfig(height) ? height - 1 : height;
  }

  /** Takes the next blocks. */
  static List<Block> next(Iterator<Block> blocks, long count) {
    List<Block> taken = new ArrayList<>((int) count);
    while (taken.size() < count) {
      taken.add(blocks.next());
    }
    return taken;
  }

  @Override
  public String toString() {
    return this == SMALL ? "small" : "large";
  }
}
