package io.ledgerkeep.core.archiving;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.core.chain.BlockCursor.Found;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.core.segment.BlockGroup;
import io.ledgerkeep.error.IntegrityException;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Blocks in the order of heights, each checked against its meta on the node: digests are computed
 * on the executor, a group of blocks at a time, ahead of who asks. For one thread; close it.
 */
final class CheckedBlocks implements AutoCloseable {

  private final Digests digests;
  private final CloseableIterator<Found> cursor;
  private final OrderedPipeline<BlockGroup> pipeline;

  private CheckedBlocks(Site site, CloseableIterator<Found> cursor) {
    this.digests = site.digests();
    this.cursor = cursor;
    this.pipeline = new OrderedPipeline<>(site.executor());
  }

  /** Takes the cursor over and closes it with itself. */
  static CheckedBlocks of(Site site, CloseableIterator<Found> cursor) {
    return new CheckedBlocks(site, cursor);
  }

  boolean hasNext() {
    return !pipeline.isEmpty() || cursor.hasNext();
  }

  BlockGroup next() {
    while (cursor.hasNext() && !pipeline.isFull()) {
      submitGroup();
    }
    if (pipeline.isEmpty()) {
      throw new NoSuchElementException();
    }
    return pipeline.take();
  }

  private void submitGroup() {
    List<Found> group = new ArrayList<>();
    long bytes = 0;
    while (cursor.hasNext()
        && bytes < BlockGroup.FULL_BYTES
        && group.size() < BlockGroup.MAX_BLOCKS) {
      Found found = cursor.next();
      group.add(found);
      bytes += found.meta().meta().bodyBytes();
    }
    pipeline.submit(bytes, () -> check(group));
  }

  private BlockGroup check(List<Found> blocks) {
    BlockGroup.Builder group = new BlockGroup.Builder(digests);
    for (Found found : blocks) {
      requireEqual(found.meta(), group.add(found.block()));
    }
    return group.build();
  }

  static void requireEqual(MetaRow recorded, BlockMeta computed) {
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
