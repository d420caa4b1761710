package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Block;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.core.chain.BlockCursor;
import io.ledgerkeep.core.chain.BlockCursor.Found;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.BlockHead;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.IntegrityException;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * Steps through the blocks of a ledger in the order of heights, wherever their bodies are: those of
 * archived blocks come from the archive, all others from the node. What comes is the block that the
 * meta speaks of, as far as its head and its counts tell; who needs more computes the digests. For
 * one thread; close it.
 */
public final class AllBlocks implements CloseableIterator<Found> {

  private final Site site;
  private final ArchiveLink link;
  private final ChainReader reader;
  private final long lastHeight;
  private final long pivot;
  private long next;
  private @Nullable CloseableIterator<StoredBlock> segment;
  private long segmentUntil = -1;
  private @Nullable BlockCursor onNode;

  AllBlocks(Site site, ArchiveLink link, long firstHeight, long lastHeight) {
    this.site = site;
    this.link = link;
    this.reader = site.chain().reader();
    this.lastHeight = lastHeight;
    this.pivot = Math.min(lastHeight, site.chain().mark().pivot());
    this.next = firstHeight;
  }

  @Override
  public boolean hasNext() {
    return next <= lastHeight;
  }

  /**
   * Returns the next block.
   *
   * @throws IntegrityException naming its height, if it is not whole
   */
  @Override
  public Found next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    try {
      Found found = next <= pivot ? atOrBelowPivot() : onNode().next();
      next++;
      return found;
    } catch (IntegrityException e) {
      throw new IntegrityException("block " + next + ": " + e.getMessage(), e);
    }
  }

  private Found atOrBelowPivot() {
    MetaRow meta = reader.requiredMeta(next);
    if (next == 0) {
      return new Found(meta, kept(meta));
    }
    StoredBlock archived = archived();
    return new Found(
        meta, meta.meta().kind() == Block.Kind.NORMAL ? matching(archived, meta) : kept(meta));
  }

  private StoredBlock kept(MetaRow meta) {
    return reader
        .block(meta)
        .orElseThrow(() -> new IntegrityException("its body is not whole on the node"));
  }

  private StoredBlock archived() {
    CloseableIterator<StoredBlock> open = segment;
    if (open == null || next > segmentUntil) {
      closeSegment();
      Archive.Segment listed = link.manifest().requiredSegmentAt(next);
      segmentUntil = Math.min(pivot, listed.lastHeight());
      open = link.segment(listed).blocks(next, segmentUntil, site.executor());
      segment = open;
    }
    return open.next();
  }

  private static StoredBlock matching(StoredBlock block, MetaRow meta) {
    if (!block.head().equals(BlockHead.of(meta.meta()))
        || block.transactions().size() != meta.meta().transactionCount()) {
      throw new IntegrityException("the archive holds another one than was committed");
    }
    return block;
  }

  private BlockCursor onNode() {
    BlockCursor open = onNode;
    if (open == null) {
      closeSegment();
      open = reader.blocks(next, lastHeight);
      onNode = open;
    }
    return open;
  }

  private void closeSegment() {
    CloseableIterator<StoredBlock> open = segment;
    segment = null;
    if (open != null) {
      open.close();
    }
  }

  @Override
  public void close() {
    try {
      closeSegment();
    } finally {
      BlockCursor open = onNode;
      onNode = null;
      if (open != null) {
        open.close();
      }
    }
  }
}
