package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.core.derived.DerivedComparison;
import io.ledgerkeep.core.derived.DerivedStore.DerivedView;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;

/**
 * Proves that a copy is the ledger it was made of: first that it is whole in itself, then that
 * every block, every meta, and all of state and history are equal.
 */
final class CopyCheck {

  private final OpenLedger old;
  private final OpenLedger copy;
  private final JobControl control;
  private final JobWatch watch;

  CopyCheck(OpenLedger old, OpenLedger copy, JobControl control, JobWatch watch) {
    this.old = old;
    this.copy = copy;
    this.control = control;
    this.watch = watch;
  }

  /**
   * Returns false if it was cancelled.
   *
   * @throws IntegrityException with the first difference
   */
  boolean run() {
    return verified() && blocksAreEqual() && derivedAreEqual();
  }

  private boolean verified() {
    Verification found =
        copy.check(Verification.Request.of(Verification.Level.LEDGER).with(control));
    if (!found.ok()) {
      throw new IntegrityException("the copy does not pass: " + found.findings().get(0));
    }
    if (!found.cancelled() && found.uncheckedBlocks() > 0) {
      throw new IntegrityException(
          "%s archived blocks of the copy could not be verified"
              .formatted(found.uncheckedBlocks()));
    }
    return !found.cancelled();
  }

  private boolean blocksAreEqual() {
    long last = old.height();
    if (copy.height() != last || copy.archivedHeight() != old.archivedHeight()) {
      throw new IntegrityException(
          "the copy has heights %s and %s, the ledger %s and %s"
              .formatted(copy.height(), copy.archivedHeight(), last, old.archivedHeight()));
    }
    watch.begin("compare", last + 1);
    for (long height = 0; height <= last; height++) {
      if (watch.isCancelled()) {
        return false;
      }
      Block block = old.block(height).orElseThrow();
      if (!old.metaRow(height).equals(copy.metaRow(height))
          || !copy.block(height).orElseThrow().equals(block)) {
        throw new IntegrityException("block " + height + " of the copy is another");
      }
      watch.advance(1, block.rawBytes());
    }
    return true;
  }

  private boolean derivedAreEqual() {
    try (DerivedView ours = old.derivedView();
        DerivedView theirs = copy.derivedView()) {
      return DerivedComparison.requireEqual(ours, theirs, watch::isCancelled);
    }
  }
}
