package io.ledgerkeep.core.archiving;

import io.ledgerkeep.core.chain.BlockCursor;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.error.IntegrityException;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Blocks of the node in the order of heights, each checked against its meta: digests are computed
 * on the executor, a group of blocks at a time, ahead of who asks. For one thread; close it.
 */
final class CheckedBlocks implements AutoCloseable {

  private static final long GROUP_BYTES = 256 << 10;
  private static final int GROUP_BLOCKS = 256;

  private final Digests digests;
  private final BlockCursor cursor;
  private final OrderedPipeline<List<Checked>> pipeline;
  private Deque<Checked> ready = new ArrayDeque<>();

  /** A block that is what was committed. */
  record Checked(StoredBlock block, BlockDigests digests) {}

  private CheckedBlocks(Site site, BlockCursor cursor) {
    this.digests = site.digests();
    this.cursor = cursor;
    this.pipeline = new OrderedPipeline<>(site.executor());
  }

  /** Takes the cursor over and closes it with itself. */
  static CheckedBlocks of(Site site, BlockCursor cursor) {
    return new CheckedBlocks(site, cursor);
  }

  boolean hasNext() {
    return !ready.isEmpty() || !pipeline.isEmpty() || cursor.hasNext();
  }

  Checked next() {
    if (ready.isEmpty()) {
      readAhead();
      if (pipeline.isEmpty()) {
        throw new NoSuchElementException();
      }
      ready = new ArrayDeque<>(pipeline.take());
    }
    return ready.remove();
  }

  private void readAhead() {
    while (cursor.hasNext() && !pipeline.isFull()) {
      List<BlockCursor.Found> group = new ArrayList<>();
      long bytes = 0;
      while (cursor.hasNext() && bytes < GROUP_BYTES && group.size() < GROUP_BLOCKS) {
        BlockCursor.Found found = cursor.next();
        group.add(found);
        bytes += found.block().bodyBytes();
      }
      pipeline.submit(bytes, () -> check(group));
    }
  }

  private List<Checked> check(List<BlockCursor.Found> group) {
    MessageDigest digest = digests.newDigest();
    List<Checked> checked = new ArrayList<>(group.size());
    for (BlockCursor.Found found : group) {
      BlockDigests computed = BlockDigests.of(found.block(), digest);
      requireEqual(found.meta(), computed.meta(found.block()));
      checked.add(new Checked(found.block(), computed));
    }
    return checked;
  }

  static void requireEqual(MetaRow recorded, io.ledgerkeep.BlockMeta computed) {
    if (!recorded.meta().equals(computed)) {
      throw new IntegrityException(
          "the body of block "
              + computed.height()
              + " on the node is not what was committed; nothing of it was archived; run"
              + " ledgerkeep doctor");
    }
  }

  @Override
  public void close() {
    try {
      pipeline.close();
    } finally {
      cursor.close();
    }
  }
}
