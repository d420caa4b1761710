package io.ledgerkeep.core.archiving;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.archive.ArchiveNames;
import io.ledgerkeep.core.archive.KeyObjects;
import io.ledgerkeep.core.archive.LedgerArchive;
import io.ledgerkeep.core.archive.Manifest;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.segment.BlockGroup;
import io.ledgerkeep.core.segment.DictionaryTrainer;
import io.ledgerkeep.core.segment.SegmentHeader;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.core.segment.SegmentWriter;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/**
 * The newest blocks of a ledger in an archive of their own, written before they are removed from
 * it: proven by the node's record when they are written, read back through the store and verified
 * as an archive run does it, opened by the same keys. It begins at the lowest of them, so that it
 * is taken for no archive of the whole ledger. For one thread, which others may help.
 */
public final class BranchBackup {

  private final Site site;
  private final ArchiveLink link;
  private final ArchiveStore store;
  private final JobWatch watch;
  private final long first;
  private final long last;
  private final DictionaryTrainer trainer = new DictionaryTrainer();
  private final Manifest manifest;
  private final LedgerArchive archive;

  /** Begins a backup of the blocks from a height on, which is not that of the genesis block. */
  BranchBackup(Site site, ArchiveLink link, ArchiveStore store, long first, JobWatch watch) {
    this.site = site;
    this.link = link;
    this.store = store;
    this.watch = watch;
    this.first = first;
    this.last = site.chain().last();
    ArchiveNames names = new ArchiveNames(site.genesisHash(), site.ledgerId());
    new KeyObjects(store, names).reconcile(site.archiveKeys());
    manifest =
        Manifest.createFrom(
            first,
            site.chain().reader().requiredMeta(first - 1).meta().hash(),
            store,
            names,
            site.chainId(),
            site.digests(),
            site.archiveKeys());
    archive = LedgerArchive.of(store, manifest, site.executor());
  }

  /**
   * Writes all of them; durable and verified on return. Returns false if it was cancelled.
   *
   * @throws IntegrityException if a block is not what was committed
   */
  public boolean write() {
    watch.begin("back up", last - first + 1);
    try {
      while (manifest.lastHeight() < last) {
        writeSegment();
      }
    } catch (Cancelled e) {
      return false;
    } catch (IntegrityException e) {
      throw new IntegrityException(
          "the blocks above height %s cannot be backed up, so that nothing was rolled back: %s"
              .formatted(first - 1, e.getMessage()),
          e);
    }
    manifest.requireUnchanged();
    FailPoint.pass("rollback.backed-up");
    return true;
  }

  private void writeSegment() {
    long from = manifest.lastHeight() + 1;
    Bytes attempt = ArchiveJob.randomId();
    String name = manifest.names().segment(from, attempt);
    AtomicReference<SegmentSummary> written = new AtomicReference<>();
    store.put(name, out -> written.set(write(out, link.header(attempt, from))));
    SegmentSummary summary = Objects.requireNonNull(written.get(), "a store calls its content");
    FailPoint.pass("rollback.published");
    Proof.whole(site, archive.openUnlisted(name), summary);
    manifest.add(summary, name);
  }

  private SegmentSummary write(OutputStream out, SegmentHeader header) throws IOException {
    try (SegmentWriter writer =
            new SegmentWriter(
                out,
                header,
                site.archiveKeys().newest(),
                manifest.lastSegmentDigest(),
                trainer,
                site.executor());
        CheckedBlocks blocks =
            CheckedBlocks.of(site, new AllBlocks(site, link, header.firstHeight(), last))) {
      while (blocks.hasNext() && !writer.isFull()) {
        BlockGroup group = blocks.next();
        writer.add(group);
        advance(group);
      }
      return writer.finish();
    }
  }

  private void advance(BlockGroup group) {
    for (BlockMeta meta : group.metas()) {
      watch.advance(1, meta.bodyBytes());
    }
    if (watch.isCancelled()) {
      throw new Cancelled();
    }
  }

  /**
   * Reads the blocks back, from the lowest to the highest, until the visitor wants no more. Returns
   * whether it had all of them.
   */
  public boolean forEach(Predicate<StoredBlock> visitor) {
    for (Archive.Segment segment : manifest.segments()) {
      try (CloseableIterator<StoredBlock> blocks =
          archive
              .reader(segment)
              .blocks(segment.firstHeight(), segment.lastHeight(), site.executor())) {
        while (blocks.hasNext()) {
          if (!visitor.test(blocks.next())) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /** Leaves a segment that is being written; nothing of it is seen. */
  private static final class Cancelled extends RuntimeException {
    Cancelled() {
      super(null, null, false, false);
    }
  }
}
