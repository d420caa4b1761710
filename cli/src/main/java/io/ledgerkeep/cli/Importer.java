package io.ledgerkeep.cli;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.cli.interchange.BlockLinesReader;
import io.ledgerkeep.cli.interchange.InterchangeException;
import io.ledgerkeep.error.ConflictException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Commits the blocks of a reader in batches. Whatever ends it, all blocks before the one at fault
 * are committed; so that it can be run again, blocks that are committed already are compared only.
 */
final class Importer {

  private static final long BATCH_BYTES = 8L << 20;
  private static final int BATCH_BLOCKS = 1_000;

  private final Ledger ledger;
  private final BlockLinesReader reader;
  private final JobWatch watch;
  private final JobWatch.Phase phase;
  private final long heightBefore;
  private final List<Block> batch = new ArrayList<>();
  private long blocks;
  private long bytes;

  Importer(Ledger ledger, BlockLinesReader reader, JobWatch watch) {
    this.ledger = ledger;
    this.reader = reader;
    this.watch = watch;
    this.phase = watch.phase("import", 0);
    this.heightBefore = ledger.height();
  }

  /**
   * What was imported.
   *
   * @param imported the number of blocks that are new to the ledger
   * @param skipped the number of blocks it had already
   * @param height its newest block
   * @param cancelled whether it was stopped before its end
   */
  record Report(long imported, long skipped, long height, boolean cancelled) {}

  /**
   * Imports to the end of the input, or until cancelled.
   *
   * @throws InterchangeException if a line is malformed
   * @throws CommandException if a block is refused
   */
  Report run() throws InterchangeException {
    boolean more = true;
    while (more && !watch.cancelled()) {
      try {
        more = readBatch();
      } catch (InterchangeException e) {
        // Ctrl-C stops also who writes to our pipe, perhaps in the middle of a line.
        if (!watch.cancelled()) {
          throw e;
        }
      } finally {
        commitBatch();
      }
    }
    long imported = ledger.height() - heightBefore;
    return new Report(imported, blocks - imported, ledger.height(), more);
  }

  /** Reads until the batch is full and returns true, or to the end of the input: false. */
  private boolean readBatch() throws InterchangeException {
    long fullAt = bytes + BATCH_BYTES;
    while (bytes < fullAt && batch.size() < BATCH_BLOCKS) {
      Optional<Block> block = reader.read();
      if (block.isEmpty()) {
        return false;
      }
      batch.add(block.get());
      bytes += block.get().rawBytes();
    }
    return true;
  }

  private void commitBatch() {
    long firstLine = blocks + 1;
    blocks += batch.size();
    try {
      ledger.commitAll(batch);
    } catch (ConflictException | IllegalArgumentException e) {
      commitSingly(firstLine);
    }
    batch.clear();
    phase.reached(blocks, bytes);
  }

  /** Commits the blocks before the one that is refused, to tell its line. */
  private void commitSingly(long firstLine) {
    for (int i = 0; i < batch.size(); i++) {
      try {
        ledger.commit(batch.get(i));
      } catch (ConflictException | IllegalArgumentException e) {
        throw refused("line " + (firstLine + i) + ": " + e.getMessage());
      }
    }
  }

  /** Refused means that nothing was changed; once there are new blocks, the import has failed. */
  private CommandException refused(String message) {
    long height = ledger.height();
    return height == heightBefore
        ? CommandException.refused(message)
        : CommandException.failed(message + "; the ledger is at height " + height);
  }
}
