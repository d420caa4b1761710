package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.derived.DerivedCheck;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Checks a ledger: the links and sums of all metas, then, from level BYTES on, every body on the
 * node against its recorded digests with its index entries, then the archive. Goes on after a
 * finding, so that one run tells all.
 */
final class LedgerCheck {

  private static final long CHUNK_BLOCKS = 256;
  private static final int MAX_FINDINGS = 1000;

  private final Site site;
  private final ChainStore chain;
  private final ChainReader reader;
  private final ArchiveLink link;
  private final Verification.Request request;
  private final DerivedCheck derived;
  private final JobWatch watch;
  private final MessageDigest digest;
  private final Optional<BlockVerifier> verifier;

  private final List<String> findings = new ArrayList<>();
  private long blocks;
  private long uncheckedBlocks;
  private long bytes;
  private long segments;
  private boolean cancelled;

  LedgerCheck(
      Site site,
      ArchiveLink link,
      Verification.Request request,
      DerivedCheck derived,
      JobWatch watch) {
    this.site = site;
    this.chain = site.chain();
    this.reader = chain.reader();
    this.link = link;
    this.request = request;
    this.derived = derived;
    this.watch = watch;
    this.digest = site.digests().newDigest();
    this.verifier = request.verifier().or(site::verifier);
  }

  Verification run(long height) {
    long pivot = chain.mark().pivot();
    request.expected().forEach(expected -> checkExpected(expected, height));
    watch.begin("ledger", height + 1);
    Optional<MetaRow> previous = Optional.empty();
    for (long first = 0; first <= height && goOn(); first += CHUNK_BLOCKS) {
      long last = Math.min(height, first + CHUNK_BLOCKS - 1);
      for (long at = first; at <= last; at++) {
        previous = checkBlock(at, previous);
      }
      watch.advance(last - first + 1, 0);
    }
    if (chain.mark().pivot() > 0 && site.store().isPresent() && goOn()) {
      checkArchive(height);
    }
    if (uncheckedBlocks == 0 && chain.mark().pivot() == pivot) {
      checkNothingElse();
    }
    return new Verification(
        request.level(), segments, blocks, uncheckedBlocks, bytes, findings, cancelled);
  }

  private void checkExpected(Verification.Expected expected, long height) {
    if (expected.height() > height) {
      find(
          "block %s is expected with the hash %s, but the ledger ends at height %s: it is an older copy"
              .formatted(expected.height(), expected.hash().hex(), height));
      return;
    }
    reader
        .meta(expected.height())
        .map(row -> row.meta().hash())
        .filter(found -> !found.equals(expected.hash()))
        .ifPresent(
            found ->
                find(
                    "block %s is expected with the hash %s, but has %s: it is of another chain or branch"
                        .formatted(expected.height(), expected.hash().hex(), found.hex())));
  }

  private boolean goOn() {
    cancelled |= watch.isCancelled();
    return !cancelled && findings.size() < MAX_FINDINGS;
  }

  /** Returns the meta of the block, or empty where it cannot be read. */
  private Optional<MetaRow> checkBlock(long height, Optional<MetaRow> previous) {
    try {
      MetaRow meta = reader.requiredMeta(height);
      previous.ifPresent(before -> checkLink(before, meta));
      if (reader.heightOf(meta.meta().hash()).orElse(-1) != height) {
        find("the hash index does not lead to block " + height);
      }
      if (checkBody(meta)) {
        blocks++;
      } else {
        uncheckedBlocks++;
      }
      return Optional.of(meta);
    } catch (IntegrityException e) {
      find(String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private void checkLink(MetaRow before, MetaRow meta) {
    if (!meta.meta().previousHash().equals(before.meta().hash())) {
      find(
          "block %s does not name the hash of block %s"
              .formatted(meta.meta().height(), before.meta().height()));
    }
    boolean normal = meta.meta().kind() == Block.Kind.NORMAL;
    if (meta.normalBlocks() != before.normalBlocks() + (normal ? 1 : 0)
        || meta.normalBytes() != before.normalBytes() + (normal ? meta.meta().bodyBytes() : 0)) {
      find("the sums recorded with block " + meta.meta().height() + " are wrong");
    }
  }

  /** Returns false where the body is in the archive, perhaps since a moment ago. */
  private boolean checkBody(MetaRow meta) {
    BlockMeta recorded = meta.meta();
    if (chain.isArchived(recorded)) {
      return false;
    }
    if (request.level() == Level.STRUCTURE) {
      return true;
    }
    Optional<StoredBlock> found = reader.block(meta);
    if (found.isEmpty() && chain.isArchived(recorded)) {
      return false;
    }
    found.ifPresentOrElse(
        block -> checkBody(recorded, block),
        () -> find("the body of block " + recorded.height() + " is not whole on the node"));
    return true;
  }

  private void checkBody(BlockMeta recorded, StoredBlock block) {
    bytes += block.bodyBytes();
    if (!recorded.equals(BlockDigests.of(block, digest).meta(block))) {
      find("block " + recorded.height() + " is not what was committed");
      return;
    }
    checkIds(block);
    if (request.level() == Level.LEDGER) {
      Block decoded = block.decode();
      verifier.ifPresent(rule -> rule.verify(decoded));
      derived.check(decoded);
    }
  }

  /** Of archived blocks; what the archive has beside is on the node, and checked there. */
  private void checkArchived(Block block, long height) {
    verifier.ifPresent(rule -> rule.verify(block));
    if (block.height() <= height && chain.isArchived(reader.requiredMeta(block.height()).meta())) {
      derived.check(block);
    }
  }

  /** Only where all blocks were checked it is known what must be there. */
  private void checkNothingElse() {
    if (request.level() == Level.LEDGER && findings.isEmpty() && goOn()) {
      try {
        derived.finish();
      } catch (IntegrityException e) {
        find(String.valueOf(e.getMessage()));
      }
    }
  }

  private void checkIds(StoredBlock block) {
    for (int i = 0; i < block.transactions().size(); i++) {
      Bytes row = block.transactions().get(i).join();
      String id = StoredBlock.transactionId(row);
      ChainReader.Location expected = new ChainReader.Location(block.head().height(), i);
      if (!reader.locationOf(id).filter(expected::equals).isPresent()) {
        find(
            "the transaction index does not lead to '%s' in block %s"
                .formatted(id, expected.height()));
      }
      if (!chain.mightKnow(id)) {
        find(
            "the id filter does not know '%s'; remove the folder ids to have it made anew"
                .formatted(id));
      }
    }
  }

  private void checkArchive(long height) {
    try {
      Verification found =
          link.verify(
              request.level() == Level.LEDGER
                  ? request.with(block -> checkArchived(block, height))
                  : request);
      segments = found.segments();
      countArchived(found.blocks());
      bytes += found.bytes();
      cancelled |= found.cancelled();
      findings.addAll(found.findings());
    } catch (KeyUnavailableException e) {
      if (!e.reason().tellsOfData()) {
        throw e;
      }
      find(String.valueOf(e.getMessage()));
    } catch (LedgerkeepException e) {
      find(String.valueOf(e.getMessage()));
    }
  }

  /** Of the archive's blocks, the lowest come first and may be more than are archived today. */
  private void countArchived(long checkedBlocks) {
    long checked = Math.min(checkedBlocks, uncheckedBlocks);
    blocks += checked;
    uncheckedBlocks -= checked;
  }

  private void find(String finding) {
    findings.add(finding);
  }
}
