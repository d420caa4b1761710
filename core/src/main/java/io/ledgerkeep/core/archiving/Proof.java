package io.ledgerkeep.core.archiving;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.segment.SegmentCheck;
import io.ledgerkeep.core.segment.SegmentReader;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.error.IntegrityException;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Deque;

/** Proves segments, as they are read back through the store, by the node's own record. */
final class Proof {

  private Proof() {}

  /**
   * Proves every byte of a segment that was just written. The content root that it was written with
   * was summed up from the node's metas; a root equal to it, computed anew, means equal blocks.
   */
  static void whole(Site site, SegmentReader segment, SegmentSummary written) {
    if (!segment.summary().equals(written)) {
      throw new IntegrityException(
          "segment %s reads back with digest %s, but was written with %s"
              .formatted(segment.name(), segment.summary().digest().hex(), written.digest().hex()));
    }
    SegmentCheck.content(segment, site.executor(), (block, found) -> true);
  }

  /** Proves the blocks of a segment up to a height that the ledger has. */
  static void through(Site site, SegmentReader segment, long lastHeight) {
    Recorded recorded = new Recorded(site, segment, lastHeight);
    SegmentCheck.content(
        segment, site.executor(), (block, found) -> found.height() <= recorded.require(found));
  }

  /** Returns if the block is the one that was committed. */
  static void requireCommitted(
      StoredBlock block, BlockMeta recorded, String segment, MessageDigest digest) {
    requireEqual(recorded, BlockDigests.of(block, digest).meta(block), segment);
  }

  static void requireEqual(BlockMeta recorded, BlockMeta found, String segment) {
    if (!recorded.equals(found)) {
      throw new IntegrityException(
          "block %s in segment %s is not the one this ledger committed"
              .formatted(recorded.height(), segment));
    }
  }

  /** The node's record of the blocks of a segment, read a handful at a time. For one thread. */
  static final class Recorded {

    private static final long AT_A_TIME = 1024;

    private final ChainReader reader;
    private final SegmentReader segment;
    private final long lastHeight;
    private final Deque<MetaRow> ready = new ArrayDeque<>();
    private long next;

    /** Compares the blocks up to a height, in their order. */
    Recorded(Site site, SegmentReader segment, long lastHeight) {
      this.reader = site.chain().reader();
      this.segment = segment;
      this.next = segment.summary().contents().firstHeight();
      this.lastHeight = lastHeight;
    }

    /**
     * Returns up to which height blocks are compared.
     *
     * @throws IntegrityException if the next block is one of these and not what was committed
     */
    long require(BlockMeta found) {
      if (found.height() <= lastHeight) {
        requireEqual(next(), found, segment.name());
      }
      return lastHeight;
    }

    private BlockMeta next() {
      if (ready.isEmpty()) {
        long until = Math.min(lastHeight, next + AT_A_TIME - 1);
        ready.addAll(reader.metas(next, until));
        next = until + 1;
      }
      return ready.remove().meta();
    }
  }
}
