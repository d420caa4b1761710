package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.core.archive.Manifest;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.JobRecord;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of restoring, from the pivot downwards in batches of consecutive blocks. A batch is read
 * and checked on the executor, ahead of the one that is written. Bodies that were put back are
 * invisible until the pivot is lowered below them, now and then and at the end, so that at any
 * instant the pivot is the exact boundary.
 */
final class RestoreJob {

  static final String NAME = "restore";

  private static final Logger LOG = LoggerFactory.getLogger(RestoreJob.class);
  private static final long BATCH_BYTES = 4 << 20;
  private static final long BATCH_BLOCKS = 4096;
  private static final int BATCHES_AHEAD = 4;

  /**
   * The pivot is lowered that much more rarely than an archive run raises it: its record lies far
   * from the bodies in the order of keys, and an engine that sorts its tables into levels rewrites
   * all that lies between each time both are written to one table.
   */
  private static final int HAND_OVERS = 16;

  private final Site site;
  private final ChainStore chain;
  private final ChainReader reader;
  private final ArchiveLink link;
  private final JobWatch watch;
  private final long begin = System.nanoTime();

  /** From here on upwards bodies were put back. */
  private long lowest;

  RestoreJob(Site site, ArchiveLink link, JobWatch watch) {
    this.site = site;
    this.chain = site.chain();
    this.reader = chain.reader();
    this.link = link;
    this.watch = watch;
  }

  /** Consecutive blocks. */
  private record Batch(long first, long last, List<StoredBlock> blocks) {}

  JobPlan plan(long firstHeight) {
    long pivot = chain.mark().pivot();
    if (pivot == 0 || firstHeight > pivot) {
      return new JobPlan(NAME, pivot, pivot, 0, 0, 0, 0, Duration.ZERO);
    }
    long low = Math.max(1, firstHeight);
    MetaRow from = reader.requiredMeta(low - 1);
    MetaRow to = reader.requiredMeta(pivot);
    long bytes = to.normalBytes() - from.normalBytes();
    long start = System.nanoTime();
    long first = firstOfBatch(low, pivot);
    read(link.manifest(), first, pivot);
    long sampled = 1 + to.normalBytes() - reader.requiredMeta(first - 1).normalBytes();
    double nanosPerByte = (double) (System.nanoTime() - start) / sampled;
    return new JobPlan(
        NAME,
        pivot,
        reader.highestNormal(low - 1),
        to.normalBlocks() - from.normalBlocks(),
        bytes,
        0,
        bytes,
        Duration.ofNanos((long) (2 * nanosPerByte * bytes)));
  }

  JobReport run(long firstHeight) {
    Leftovers.settle(site, link);
    long pivotBefore = chain.mark().pivot();
    long diskBefore = chain.sizeBytes();
    if (pivotBefore == 0 || firstHeight > pivotBefore) {
      return report(pivotBefore, diskBefore, false);
    }
    long low = Math.max(1, firstHeight);
    Manifest manifest = link.manifest();
    chain.beginJob(new JobRecord(JobRecord.Step.RESTORE, Bytes.EMPTY, low, pivotBefore));
    watch.begin(
        NAME,
        reader.requiredMeta(pivotBefore).normalBlocks()
            - reader.requiredMeta(low - 1).normalBlocks());
    boolean cancelled = restore(manifest, low, pivotBefore);
    FailPoint.pass("restore.done");
    long pivotAfter = chain.mark().pivot();
    site.room().during(chain::endJob);
    site.room().refill();
    LOG.info("restored blocks {} to {}", pivotAfter + 1, pivotBefore);
    return report(pivotBefore, diskBefore, cancelled);
  }

  /** Puts batch after batch back; returns whether it was cancelled. */
  private boolean restore(Manifest manifest, long low, long pivot) {
    lowest = pivot + 1;
    try {
      putBack(manifest, low, pivot, this::lowerPivotNowAndThen);
    } catch (RuntimeException | Error e) {
      lowerPivotAfter(e, lowest);
      throw e;
    }
    lowerPivotBelow(lowest);
    return lowest > low;
  }

  private void lowerPivotNowAndThen() {
    if (bodyBytes(lowest, chain.mark().pivot()) / HAND_OVERS >= site.handOverBytes()) {
      lowerPivotBelow(lowest);
    }
  }

  /**
   * Puts the bodies of a range at or below the pivot back, and leaves them invisible: who asked for
   * them lowers the pivot. Returns whether all of them are there; else it was cancelled.
   */
  boolean putBack(long low, long high) {
    lowest = high + 1;
    chain.beginJob(new JobRecord(JobRecord.Step.RESTORE, Bytes.EMPTY, low, high));
    watch.begin(
        NAME,
        reader.requiredMeta(high).normalBlocks() - reader.requiredMeta(low - 1).normalBlocks());
    putBack(link.manifest(), low, high, () -> {});
    return lowest <= low;
  }

  private void putBack(Manifest manifest, long low, long high, Runnable afterEach) {
    try (OrderedPipeline<Batch> pipeline =
        new OrderedPipeline<>(site.executor(), BATCHES_AHEAD, BATCHES_AHEAD * BATCH_BYTES)) {
      long next = high;
      while ((next >= low || !pipeline.isEmpty()) && !watch.isCancelled()) {
        while (next >= low && !pipeline.isFull()) {
          long last = next;
          long first = firstOfBatch(low, last);
          pipeline.submit(bodyBytes(first, last), () -> read(manifest, first, last));
          next = first - 1;
        }
        Batch batch = pipeline.take();
        putBack(batch);
        lowest = batch.first();
        afterEach.run();
      }
    }
  }

  /** Returns where a batch begins that ends at the given height. */
  private long firstOfBatch(long low, long last) {
    long bytes = reader.requiredMeta(last).normalBytes();
    long tooLow = Math.max(low - 1, last - BATCH_BLOCKS);
    long first = last;
    // The least height in (tooLow, last] from which on the bodies are no more than a batch.
    while (first - tooLow > 1) {
      long middle = tooLow + (first - tooLow) / 2;
      if (bytes - reader.requiredMeta(middle - 1).normalBytes() <= BATCH_BYTES) {
        first = middle;
      } else {
        tooLow = middle;
      }
    }
    return first;
  }

  private long bodyBytes(long first, long last) {
    return reader.requiredMeta(last).normalBytes() - reader.requiredMeta(first - 1).normalBytes();
  }

  /** Reads a batch and proves every block of it by the node's record, and by the node's rule. */
  private Batch read(Manifest manifest, long first, long last) {
    List<MetaRow> metas = reader.metas(first, last);
    MessageDigest digest = site.digests().newDigest();
    List<StoredBlock> blocks = new ArrayList<>();
    long at = first;
    while (at <= last) {
      var segment = manifest.requiredSegmentAt(at);
      long until = Math.min(last, segment.lastHeight());
      try (CloseableIterator<StoredBlock> found =
          link.segment(segment).blocks(at, until, Runnable::run)) {
        while (found.hasNext()) {
          StoredBlock block = found.next();
          MetaRow meta = metas.get((int) (block.head().height() - first));
          if (meta.meta().kind() == Block.Kind.NORMAL) {
            Proof.requireCommitted(block, meta.meta(), segment.name(), digest);
            site.verifier().ifPresent(verifier -> verify(verifier, block));
            blocks.add(block);
          }
        }
      }
      at = until + 1;
    }
    return new Batch(first, last, blocks);
  }

  private static void verify(BlockVerifier verifier, StoredBlock block) {
    verifier.verify(block.decode());
  }

  private void putBack(Batch batch) {
    FailPoint.pass("restore.read");
    // Never into the reserve: a ledger that is full must still be able to archive.
    chain.putBack(batch.blocks());
    FailPoint.pass("restore.written");
    watch.advance(batch.blocks().size(), bodyBytes(batch.first(), batch.last()));
  }

  /** Needs next to no room, and without it all that was put back would be for nothing. */
  private void lowerPivotBelow(long height) {
    long newPivot = reader.highestNormal(height - 1);
    if (newPivot < chain.mark().pivot()) {
      site.room().during(() -> chain.lowerPivot(newPivot));
      FailPoint.pass("restore.lowered");
    }
  }

  /** What was put back before a failure stays. */
  private void lowerPivotAfter(Throwable failure, long height) {
    try {
      lowerPivotBelow(height);
    } catch (RuntimeException | Error e) {
      failure.addSuppressed(e);
    }
  }

  private JobReport report(long pivotBefore, long diskBefore, boolean cancelled) {
    long pivotAfter = chain.mark().pivot();
    long blocks = 0;
    long bytes = 0;
    if (pivotAfter < pivotBefore) {
      MetaRow from = reader.requiredMeta(pivotAfter);
      MetaRow to = reader.requiredMeta(pivotBefore);
      blocks = to.normalBlocks() - from.normalBlocks();
      bytes = to.normalBytes() - from.normalBytes();
    }
    return new JobReport(
        NAME,
        pivotBefore,
        pivotAfter,
        blocks,
        bytes,
        bytes,
        diskBefore,
        chain.sizeBytes(),
        cancelled,
        Duration.ofNanos(System.nanoTime() - begin));
  }
}
