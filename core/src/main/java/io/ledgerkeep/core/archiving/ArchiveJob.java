package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.archive.Manifest;
import io.ledgerkeep.core.chain.ArchiveMark;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.JobRecord;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.segment.BlockGroup;
import io.ledgerkeep.core.segment.DictionaryTrainer;
import io.ledgerkeep.core.segment.SegmentHeader;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.core.segment.SegmentWriter;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import java.io.IOException;
import java.io.OutputStream;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of archiving. For each segment: write it, read it back through the store and verify it
 * against the node's record, list it in the manifest; then, in one batch that is the commit point,
 * raise the pivot, record the manifest entry and what is to be deleted; delete. In the end give the
 * space back. Whatever instant it dies at, the next run goes on from what is recorded.
 */
final class ArchiveJob {

  static final String NAME = "archive";

  private static final Logger LOG = LoggerFactory.getLogger(ArchiveJob.class);
  private static final long SAMPLE_BYTES = 4 << 20;
  private static final int SAMPLE_BLOCKS = 512;

  private final Site site;
  private final ChainStore chain;
  private final ChainReader reader;
  private final ArchiveLink link;
  private final boolean wholeSegments;
  private final JobWatch watch;
  private final DictionaryTrainer trainer = new DictionaryTrainer();
  private final long begin = System.nanoTime();

  private long bytesWritten;

  /** What this run seals under; set when it begins. */
  private Optional<ArchiveKey> key = Optional.empty();

  /** The attempt whose object may lie in the archive unlisted, or empty. */
  private Bytes unlisted = Bytes.EMPTY;

  ArchiveJob(Site site, ArchiveLink link, boolean wholeSegments, JobWatch watch) {
    this.site = site;
    this.chain = site.chain();
    this.reader = chain.reader();
    this.link = link;
    this.wholeSegments = wholeSegments;
    this.watch = watch;
  }

  // ------------------------------------------------------------------------------------ plan

  JobPlan plan(long target) {
    long pivot = chain.mark().pivot();
    if (target <= pivot) {
      return new JobPlan(NAME, pivot, pivot, 0, 0, 0, 0, Duration.ZERO);
    }
    requireArchivable(target);
    long listed = Math.min(target, Math.max(pivot, link.lastListedHeight()));
    Sample sample = sample(pivot + 1, target);
    if (wholeSegments && !fills(sample, listed, target)) {
      return plan(pivot, listed, listed, sample);
    }
    return plan(pivot, listed, target, sample);
  }

  private JobPlan plan(long pivot, long listed, long reached, Sample sample) {
    MetaRow from = reader.requiredMeta(pivot);
    MetaRow to = reader.requiredMeta(reached);
    long bytes = to.normalBytes() - from.normalBytes();
    long bytesToWrite = to.normalBytes() - reader.requiredMeta(listed).normalBytes();
    return new JobPlan(
        NAME,
        pivot,
        reader.highestNormal(reached),
        to.normalBlocks() - from.normalBlocks(),
        bytes,
        bytes,
        sample.storedBytesOf(bytesToWrite),
        sample.durationOf(bytes));
  }

  /** What a few blocks took, to judge by. */
  private record Sample(long rawBytes, long storedBytes, long nanos) {

    long storedBytesOf(long bytes) {
      return (long) ((double) bytes * storedBytes / rawBytes);
    }

    /** Verifying and deleting take about as long again as writing. */
    Duration durationOf(long bytes) {
      return Duration.ofNanos((long) (2.0 * bytes * nanos / rawBytes));
    }
  }

  private Sample sample(long firstHeight, long lastHeight) {
    long start = System.nanoTime();
    long last = Math.min(lastHeight, firstHeight + SAMPLE_BLOCKS - 1);
    long rawBytes = 1;
    SegmentHeader header = link.header(randomId(), firstHeight);
    try (SegmentWriter writer =
            new SegmentWriter(
                OutputStream.nullOutputStream(),
                header,
                site.archiveKeys().newest(),
                Bytes.EMPTY,
                DictionaryTrainer.none(),
                site.executor());
        CheckedBlocks blocks = CheckedBlocks.of(site, reader.blocks(firstHeight, last))) {
      while (blocks.hasNext() && rawBytes < SAMPLE_BYTES) {
        BlockGroup group = blocks.next();
        writer.add(group);
        rawBytes += group.metas().stream().mapToLong(BlockMeta::bodyBytes).sum();
      }
      SegmentSummary summary = writer.finish();
      return new Sample(rawBytes, summary.storedBytes(), System.nanoTime() - start);
    } catch (IOException e) {
      throw new AssertionError("nothing is written", e);
    }
  }

  /** Returns whether the blocks above what is listed fill a segment, or there are none. */
  private boolean fills(Sample sample, long listed, long target) {
    long bytes =
        reader.requiredMeta(target).normalBytes() - reader.requiredMeta(listed).normalBytes();
    return listed >= target || sample.storedBytesOf(bytes) >= SegmentWriter.FULL_STORED_BYTES;
  }

  // ------------------------------------------------------------------------------------ run

  JobReport run(long target) {
    Leftovers.settle(site, link);
    long pivotBefore = chain.mark().pivot();
    long diskBefore = chain.sizeBytes();
    if (target <= pivotBefore) {
      return report(pivotBefore, diskBefore, false);
    }
    requireArchivable(target);
    site.room().during(() -> site.beforeArchiving().accept(target));
    ArchiveLink.Writing writing = link.toWrite();
    Manifest manifest = writing.manifest();
    key = writing.key();
    MetaRow from = reader.requiredMeta(pivotBefore);
    MetaRow to = reader.requiredMeta(target);
    watch.begin("archive", to.normalBlocks() - from.normalBlocks());

    boolean cancelled = archive(manifest, target);

    if (chain.mark().pivot() > pivotBefore) {
      compact();
    }
    site.room().during(chain::endJob);
    site.room().refill();
    return report(pivotBefore, diskBefore, cancelled);
  }

  /** Archives segment by segment; returns whether it was cancelled. */
  private boolean archive(Manifest manifest, long target) {
    long reached = chain.mark().pivot();
    try {
      while (reached < target) {
        if (wholeSegments
            && manifest.lastHeight() <= reached
            && !fills(sample(reached + 1, target), reached, target)) {
          handOver(manifest, reached);
          return false;
        }
        reached = archiveNext(manifest, reached + 1, target);
        if (reached == target || bytesUpTo(reached) >= site.handOverBytes()) {
          handOver(manifest, reached);
        }
      }
      return false;
    } catch (Cancelled e) {
      handOver(manifest, reached);
      return true;
    } catch (RuntimeException | Error e) {
      handOverAfter(e, manifest, reached);
      throw e;
    }
  }

  /** Sees to it that the archive holds the next blocks; returns the height it then reaches. */
  private long archiveNext(Manifest manifest, long first, long target) {
    if (watch.isCancelled()) {
      throw new Cancelled();
    }
    if (manifest.lastHeight() < first) {
      return writeSegment(manifest, target).lastHeight();
    }
    Archive.Segment segment = manifest.requiredSegmentAt(first);
    long last = Math.min(target, segment.lastHeight());
    reuse(segment, first, last);
    return last;
  }

  /** Returns the bytes of the bodies from the pivot to the height. */
  private long bytesUpTo(long height) {
    return reader.requiredMeta(height).normalBytes()
        - reader.requiredMeta(chain.mark().pivot()).normalBytes();
  }

  /** Checks a segment that an earlier run wrote: bodies were restored since, or it was killed. */
  private void reuse(Archive.Segment segment, long first, long last) {
    Proof.through(site, link.segment(segment), last);
    MetaRow from = reader.requiredMeta(first - 1);
    MetaRow to = reader.requiredMeta(last);
    watch.advance(to.normalBlocks() - from.normalBlocks(), to.normalBytes() - from.normalBytes());
  }

  /** Writes, reads back, verifies and lists one segment. */
  private Archive.Segment writeSegment(Manifest manifest, long target) {
    long first = manifest.lastHeight() + 1;
    Bytes attempt = randomId();
    site.room()
        .during(() -> chain.beginJob(new JobRecord(JobRecord.Step.WRITE, attempt, first, target)));
    unlisted = attempt;
    FailPoint.pass("archive.begun");
    String name = link.segmentName(first, attempt);
    ArchiveStore store = site.requiredStore();
    AtomicReference<SegmentSummary> written = new AtomicReference<>();
    store.put(
        name,
        out ->
            written.set(
                write(out, link.header(attempt, first), manifest.lastSegmentDigest(), target)));
    FailPoint.pass("archive.published");
    SegmentSummary summary = Objects.requireNonNull(written.get(), "a store calls its content");
    Archive.Segment segment = summary.toSegment(name);
    Proof.whole(site, link.written(name), summary);
    FailPoint.pass("archive.verified");
    manifest.add(summary, name);
    unlisted = Bytes.EMPTY;
    FailPoint.pass("archive.listed");
    bytesWritten += summary.storedBytes();
    LOG.info(
        "archived blocks {} to {} as {}, {} bytes",
        segment.firstHeight(),
        segment.lastHeight(),
        name,
        segment.storedBytes());
    return segment;
  }

  private SegmentSummary write(
      OutputStream out, SegmentHeader header, Bytes previousSegment, long target)
      throws IOException {
    try (SegmentWriter writer =
            new SegmentWriter(out, header, key, previousSegment, trainer, site.executor());
        CheckedBlocks blocks =
            CheckedBlocks.of(site, reader.blocks(header.firstHeight(), target))) {
      boolean halfWay = false;
      while (blocks.hasNext() && !writer.isFull()) {
        BlockGroup group = blocks.next();
        writer.add(group);
        advance(group);
        if (!halfWay) {
          halfWay = true;
          FailPoint.pass("archive.writing");
        }
      }
      SegmentSummary summary = writer.finish();
      FailPoint.pass("archive.sealed");
      return summary;
    }
  }

  private void advance(BlockGroup group) {
    for (BlockMeta meta : group.metas()) {
      if (meta.kind() == Block.Kind.NORMAL) {
        watch.advance(1, meta.bodyBytes());
      }
      if (watch.isCancelled()) {
        throw new Cancelled();
      }
    }
  }

  /** The commit point, then the deletion of what the archive has from then on. */
  private void handOver(Manifest manifest, long reached) {
    long first = chain.mark().pivot() + 1;
    long newPivot = reader.highestNormal(reached);
    if (newPivot < first) {
      return;
    }
    ArchiveMark mark =
        new ArchiveMark(newPivot, manifest.head().sequence(), manifest.head().digest());
    JobRecord deletion = new JobRecord(JobRecord.Step.DELETE, unlisted, first, newPivot);
    site.room().during(() -> chain.raisePivot(mark, deletion));
    FailPoint.pass("archive.committed");
    site.room().during(() -> chain.deleteArchivedBodies(first, newPivot));
    FailPoint.pass("archive.deleted");
  }

  /** What was archived before a failure frees its space, which may be what was short. */
  private void handOverAfter(Throwable failure, Manifest manifest, long reached) {
    try {
      handOver(manifest, reached);
    } catch (RuntimeException | Error e) {
      failure.addSuppressed(e);
    }
  }

  /** All bodies up to the pivot are gone, so one range serves, however many runs there were. */
  private void compact() {
    watch.begin("compact", 0);
    try {
      site.room().during(() -> chain.compactBodies(1, chain.mark().pivot()));
    } catch (StorageException e) {
      LOG.warn("the space of archived bodies was not given back: {}", e.getMessage());
    }
    FailPoint.pass("archive.compacted");
  }

  private JobReport report(long pivotBefore, long diskBefore, boolean cancelled) {
    long pivotAfter = chain.mark().pivot();
    long blocks = 0;
    long bytes = 0;
    if (pivotAfter > pivotBefore) {
      MetaRow from = reader.requiredMeta(pivotBefore);
      MetaRow to = reader.requiredMeta(pivotAfter);
      blocks = to.normalBlocks() - from.normalBlocks();
      bytes = to.normalBytes() - from.normalBytes();
    }
    return new JobReport(
        NAME,
        pivotBefore,
        pivotAfter,
        blocks,
        bytes,
        bytesWritten,
        diskBefore,
        chain.sizeBytes(),
        cancelled,
        Duration.ofNanos(System.nanoTime() - begin));
  }

  /** The rules of what may be archived. */
  private void requireArchivable(long target) {
    long highest = site.highestTarget();
    if (target > highest) {
      throw new ConflictException(
          Reason.PROTECTED,
          "cannot archive up to %s: the newest %s blocks stay on the node, so that %s is the highest"
              .formatted(target, site.unarchivedBlocks().getAsLong(), highest));
    }
    Block.Kind kind = reader.requiredMeta(target).meta().kind();
    if (kind != Block.Kind.NORMAL) {
      throw new ConflictException(
          Reason.PROTECTED,
          "cannot archive up to %s: it is a %s block, which stays on the node; nearest heights: %s"
              .formatted(target, kind.name().toLowerCase(java.util.Locale.ROOT), nearest(target)));
    }
  }

  private String nearest(long target) {
    long below = reader.highestNormal(target - 1);
    long above = target + 1;
    while (above <= site.height().getAsLong()
        && reader.requiredMeta(above).meta().kind() != Block.Kind.NORMAL) {
      above++;
    }
    StringBuilder heights = new StringBuilder();
    if (below > 0) {
      heights.append(below);
    }
    if (above <= site.highestTarget()) {
      heights.append(heights.isEmpty() ? "" : " and ").append(above);
    }
    return heights.isEmpty() ? "none" : heights.toString();
  }

  /** Returns what names an attempt. */
  static Bytes randomId() {
    byte[] id = new byte[SegmentHeader.ID_BYTES];
    new SecureRandom().nextBytes(id);
    return Bytes.wrap(id);
  }

  /** Leaves a segment that is being written; nothing of it is seen. */
  private static final class Cancelled extends RuntimeException {
    Cancelled() {
      super(null, null, false, false);
    }
  }
}
