package io.ledgerkeep.core.archive;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.segment.SegmentCheck;
import io.ledgerkeep.core.segment.SegmentReader;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.LongFunction;

/** Checks an archive segment by segment; goes on after a finding, so that one run tells all. */
final class ArchiveCheck {

  private static final int MAX_FINDINGS = 1000;

  private final LedgerArchive archive;
  private final Executor executor;
  private final Verification.Request request;
  private final Optional<LongFunction<Optional<BlockMeta>>> recorded;
  private final JobWatch watch;
  private final List<String> findings = new ArrayList<>();
  private final Set<Long> opened = new HashSet<>();
  private long blocks;
  private long bytes;
  private boolean cancelled;

  ArchiveCheck(
      LedgerArchive archive,
      Executor executor,
      Verification.Request request,
      Optional<LongFunction<Optional<BlockMeta>>> recorded) {
    this.archive = archive;
    this.executor = executor;
    this.request = request;
    this.recorded = recorded;
    this.watch = new JobWatch(request.control(), () -> false);
  }

  Verification run() {
    if (request.level() == Level.LEDGER && recorded.isEmpty() && request.verifier().isEmpty()) {
      throw new ConfigurationException(
          "an archive alone proves only itself: level ledger needs the ledger (--data DIR) or a"
              + " block verifier");
    }
    requireKey();
    watch.begin("archive", archive.lastHeight() + 1 - archive.firstHeight());
    attempt(archive.manifest()::requireUnchanged);
    attempt(() -> archive.keyFindings().forEach(this::find));
    if (recorded.isEmpty()) {
      request.expected().forEach(expected -> attempt(() -> checkExpected(expected)));
    }
    for (Archive.Segment segment : archive.segments()) {
      if (!goOn()) {
        break;
      }
      check(segment.firstHeight());
    }
    return new Verification(request.level(), opened.size(), blocks, 0, bytes, findings, cancelled);
  }

  /** What is sealed cannot be looked at; that would be no finding of the archive. */
  private void requireKey() {
    boolean looksInside =
        request.level().compareTo(Level.BYTES) > 0 || !request.expected().isEmpty();
    if (looksInside && archive.manifest().isSealed() && !archive.manifest().keys().areGiven()) {
      throw new KeyUnavailableException(
          KeyUnavailableException.Reason.MISSING,
          "the archive in %s is encrypted: without its key (encryptor and encrypt_key) only levels structure and bytes can be checked, and no block can be expected"
              .formatted(archive.place()));
    }
  }

  /** With a ledger it is the ledger that must have the block. */
  private void checkExpected(Verification.Expected expected) {
    if (expected.height() > archive.lastHeight()) {
      find(
          "block %s is expected with the hash %s, but the archive ends at height %s"
              .formatted(expected.height(), expected.hash().hex(), archive.lastHeight()));
      return;
    }
    if (expected.height() < archive.firstHeight()) {
      find(
          "block %s is expected with the hash %s, but the archive begins at height %s"
              .formatted(expected.height(), expected.hash().hex(), archive.firstHeight()));
      return;
    }
    archive
        .block(expected.height())
        .map(Block::hash)
        .filter(found -> !found.equals(expected.hash()))
        .ifPresent(
            found ->
                find(
                    "block %s is expected with the hash %s, but has %s in the archive: it is of another chain or branch"
                        .formatted(expected.height(), expected.hash().hex(), found.hex())));
  }

  /** A segment that is replaced while it is looked at is none; the one in its place counts. */
  private void check(long firstHeight) {
    attempt(
        () -> {
          while (true) {
            Archive.Segment segment = archive.manifest().requiredSegmentAt(firstHeight);
            long blocksBefore = blocks;
            long bytesBefore = bytes;
            try {
              SegmentReader reader = archive.openListed(segment);
              opened.add(firstHeight);
              check(segment, reader);
              return;
            } catch (IntegrityException | StorageException e) {
              if (!archive.wasReplaced(segment)) {
                throw e;
              }
              blocks = blocksBefore;
              bytes = bytesBefore;
            }
          }
        });
  }

  private void check(Archive.Segment segment, SegmentReader reader) {
    if (!reader.summary().previousSegment().equals(archive.manifest().digestBefore(segment))) {
      find("segment " + segment.name() + " does not name the digest of the one before");
    }
    switch (request.level()) {
      case STRUCTURE -> advance(segment.blocks(), 0);
      case BYTES -> {
        SegmentCheck.bytes(reader, executor, this::goOnAfter).forEach(this::find);
        advance(segment.blocks(), 0);
      }
      case CONTENT, LEDGER -> {
        checkContent(segment, reader);
        bytes += segment.storedBytes();
      }
    }
  }

  /** Where the content is damaged, all the damaged frames are named, not only the first. */
  private void checkContent(Archive.Segment segment, SegmentReader reader) {
    try {
      SegmentCheck.content(reader, executor, (block, meta) -> goOnAfter(block, meta, segment));
    } catch (IntegrityException e) {
      List<String> damaged = SegmentCheck.bytes(reader, executor, frameBytes -> goOn());
      damaged.forEach(this::find);
      if (damaged.isEmpty()) {
        find(String.valueOf(e.getMessage()));
      }
    }
  }

  /** Turns a failure into a finding, unless a key is not at hand: that says nothing of data. */
  private void attempt(Runnable step) {
    try {
      step.run();
    } catch (KeyUnavailableException e) {
      if (!e.reason().tellsOfData()) {
        throw e;
      }
      find(String.valueOf(e.getMessage()));
    } catch (LedgerkeepException e) {
      find(String.valueOf(e.getMessage()));
    }
  }

  private void find(String finding) {
    findings.add(finding);
  }

  private boolean goOnAfter(long moreBytes) {
    bytes += moreBytes;
    watch.advance(0, moreBytes);
    return goOn();
  }

  /** What the ledger was rolled back from is whole, or not; it is nothing that counts. */
  private boolean goOnAfter(StoredBlock block, BlockMeta meta, Archive.Segment segment) {
    if (meta.height() > segment.lastHeight()) {
      return goOn();
    }
    if (meta.height() == segment.lastHeight()
        && !meta.hash().equals(archive.manifest().lastHashOf(segment))) {
      find(
          "segment %s does not have the block that the archive was ended at, %s"
              .formatted(segment.name(), meta.height()));
    }
    if (request.level() == Level.LEDGER) {
      recorded.ifPresent(metas -> compare(metas.apply(meta.height()), meta, segment.name()));
      request.verifier().ifPresent(rule -> attempt(() -> rule.verify(block.decode())));
    }
    advance(1, block.bodyBytes());
    return goOn();
  }

  private void compare(Optional<BlockMeta> inLedger, BlockMeta found, String segment) {
    if (inLedger.isEmpty()) {
      find("block %s in segment %s is not in the ledger".formatted(found.height(), segment));
    } else if (!inLedger.get().equals(found)) {
      find(
          "block %s in segment %s is not the one the ledger committed"
              .formatted(found.height(), segment));
    }
  }

  private void advance(long moreBlocks, long moreBytes) {
    blocks += moreBlocks;
    watch.advance(moreBlocks, moreBytes);
  }

  private boolean goOn() {
    cancelled |= watch.isCancelled();
    return !cancelled && findings.size() < MAX_FINDINGS;
  }
}
