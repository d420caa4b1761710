package io.ledgerkeep.core.archiving;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.core.archive.Manifest;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.JobRecord;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.segment.BlockGroup;
import io.ledgerkeep.core.segment.DictionaryTrainer;
import io.ledgerkeep.core.segment.SegmentCheck;
import io.ledgerkeep.core.segment.SegmentHeader;
import io.ledgerkeep.core.segment.SegmentReader;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.core.segment.SegmentWriter;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run that brings the segments of the archive under its newest key. For each that is under
 * another: write one with the same blocks, read it back and verify it, list it in the place of the
 * old one, make the ledger depend on that entry, delete the old one. Whatever instant it dies at,
 * the archive is whole, and the next run goes on.
 */
final class ReencryptJob {

  static final String NAME = "reencrypt";

  private static final Logger LOG = LoggerFactory.getLogger(ReencryptJob.class);

  private final Site site;
  private final ChainStore chain;
  private final ArchiveLink link;
  private final JobWatch watch;
  private final DictionaryTrainer trainer = new DictionaryTrainer();
  private final long begin = System.nanoTime();

  private long segments;
  private long blocks;
  private long bytesWritten;

  ReencryptJob(Site site, ArchiveLink link, JobWatch watch) {
    this.site = site;
    this.chain = site.chain();
    this.link = link;
    this.watch = watch;
  }

  ReencryptReport run() {
    Leftovers.settle(site, link);
    Optional<ArchiveLink.Writing> writing =
        site.store().isPresent() && site.archiveKeys().areGiven() && chain.last() >= 0
            ? link.toWriteOn()
            : Optional.empty();
    if (writing.isEmpty()) {
      return report(0, false);
    }
    Manifest manifest = writing.get().manifest();
    ArchiveKey key = writing.get().key().orElseThrow(AssertionError::new);
    link.removeReplaced(manifest);
    return replaceAll(manifest, key);
  }

  private ReencryptReport replaceAll(Manifest manifest, ArchiveKey key) {
    List<Archive.Segment> old = notUnder(key, manifest);
    watch.begin(NAME, old.stream().mapToLong(Archive.Segment::blocks).sum());
    boolean cancelled = false;
    try {
      for (Archive.Segment segment : old) {
        requireGoingOn();
        replace(segment, manifest, key);
      }
    } catch (Cancelled e) {
      cancelled = true;
    }
    if (segments > 0 || cancelled) {
      site.room().during(chain::endJob);
      site.room().refill();
    }
    return report(old.size() - segments, cancelled);
  }

  private List<Archive.Segment> notUnder(ArchiveKey key, Manifest manifest) {
    List<Archive.Segment> found = new ArrayList<>();
    for (Archive.Segment segment : manifest.segments()) {
      Optional<SegmentHeader.Seal> seal = link.segment(segment).summary().header().seal();
      if (seal.isEmpty() || seal.get().key() != key.number()) {
        found.add(segment);
      }
    }
    return found;
  }

  private void replace(Archive.Segment old, Manifest manifest, ArchiveKey key) {
    Bytes attempt = ArchiveJob.randomId();
    JobRecord record =
        new JobRecord(JobRecord.Step.REPLACE, attempt, old.firstHeight(), old.lastHeight());
    site.room().during(() -> chain.beginJob(record));
    FailPoint.pass("reencrypt.begun");
    String name = link.segmentName(old.firstHeight(), attempt);
    SegmentSummary summary = put(name, attempt, old, key);
    FailPoint.pass("reencrypt.published");
    Proof.whole(site, link.written(name), summary);
    FailPoint.pass("reencrypt.verified");
    manifest.replace(summary, name);
    FailPoint.pass("reencrypt.listed");
    link.recordHead(manifest);
    FailPoint.pass("reencrypt.recorded");
    site.requiredStore().delete(old.name());
    FailPoint.pass("reencrypt.deleted");
    segments++;
    blocks += old.blocks();
    bytesWritten += summary.storedBytes();
    LOG.info(
        "sealed blocks {} to {} under {} as {}, {} bytes",
        old.firstHeight(),
        old.lastHeight(),
        key,
        name,
        summary.storedBytes());
  }

  private SegmentSummary put(String name, Bytes attempt, Archive.Segment old, ArchiveKey key) {
    AtomicReference<SegmentSummary> written = new AtomicReference<>();
    SegmentReader reader = link.segment(old);
    long last = Math.min(chain.last(), old.lastHeight()); // what is beyond counts no longer
    site.requiredStore().put(name, out -> written.set(write(out, attempt, reader, last, key)));
    return Objects.requireNonNull(written.get(), "a store calls its content");
  }

  /** Writes the blocks of a segment anew, each proven by that segment and the node's record. */
  private SegmentSummary write(
      OutputStream out, Bytes attempt, SegmentReader old, long lastHeight, ArchiveKey key)
      throws IOException {
    SegmentSummary before = old.summary();
    Proof.Recorded recorded = new Proof.Recorded(site, old, lastHeight);
    try (SegmentWriter writer =
        new SegmentWriter(
            out,
            link.header(attempt, before.contents().firstHeight()),
            Optional.of(key),
            before.previousSegment(),
            trainer,
            site.executor())) {
      SegmentCheck.groups(
          old,
          site.executor(),
          group -> {
            group.metas().forEach(recorded::require);
            writer.add(group);
            advance(group);
            return true;
          });
      SegmentSummary after = writer.finish();
      requireSameBlocks(old.name(), before, after);
      FailPoint.pass("reencrypt.sealed");
      return after;
    }
  }

  private static void requireSameBlocks(String name, SegmentSummary old, SegmentSummary written) {
    if (!written.contents().equals(old.contents()) || written.rawBytes() != old.rawBytes()) {
      throw new IntegrityException(
          "sealing segment %s anew gave other blocks: content root %s, expected %s; it stays as it is"
              .formatted(
                  name,
                  written.contents().contentRoot().hex(),
                  old.contents().contentRoot().hex()));
    }
  }

  private void advance(BlockGroup group) {
    for (BlockMeta meta : group.metas()) {
      watch.advance(1, meta.bodyBytes());
      requireGoingOn();
    }
    FailPoint.pass("reencrypt.writing");
  }

  private void requireGoingOn() {
    if (watch.isCancelled()) {
      throw new Cancelled();
    }
  }

  private ReencryptReport report(long left, boolean cancelled) {
    return new ReencryptReport(
        segments,
        blocks,
        bytesWritten,
        left,
        cancelled,
        Duration.ofNanos(System.nanoTime() - begin));
  }

  /** Leaves a segment that is being written; nothing of it is seen. */
  private static final class Cancelled extends RuntimeException {
    Cancelled() {
      super(null, null, false, false);
    }
  }
}
