package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.IntegrityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Commits the blocks that an archive has above the newest one of the ledger. */
final class ArchivedTail {

  private static final int SLICE_BLOCKS = 256;
  private static final long SLICE_BYTES = 8 << 20;

  private final OpenLedger ledger;
  private final Optional<BlockVerifier> verifier;
  private final JobWatch watch;

  ArchivedTail(OpenLedger ledger, Optional<BlockVerifier> verifier, JobWatch watch) {
    this.ledger = ledger;
    this.verifier = verifier;
    this.watch = watch;
  }

  /** Returns false if it was cancelled. */
  boolean add() {
    Archive archive = ledger.archive();
    long last = archive.lastHeight();
    watch.begin("add", Math.max(0, last - ledger.height()));
    while (ledger.height() < last) {
      if (watch.isCancelled()) {
        return false;
      }
      addSlice(archive, last);
      FailPoint.pass("restored.added");
    }
    return true;
  }

  private void addSlice(Archive archive, long last) {
    List<Block> slice = new ArrayList<>();
    long bytes = 0;
    for (long next = ledger.height() + 1;
        next <= last && slice.size() < SLICE_BLOCKS && bytes < SLICE_BYTES;
        next++) {
      Block block = block(archive, next);
      verifier.ifPresent(rule -> rule.verify(block));
      slice.add(block);
      bytes += block.rawBytes();
    }
    ledger.commitAll(slice);
    watch.advance(slice.size(), bytes);
  }

  private static Block block(Archive archive, long height) {
    return archive
        .block(height)
        .orElseThrow(
            () -> new IntegrityException("the archive does not have block %s".formatted(height)));
  }
}
