package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Fills a copy with the blocks of a ledger, a slice at a time, from where it is; archives as it
 * goes what the ledger has archived, so that not all bodies lie on the node at any time.
 */
final class CopyFill {

  private static final int SLICE_BLOCKS = 256;
  private static final long SLICE_BYTES = 8 << 20;

  /** A ledger lets at least so many of its newest blocks not be archived. */
  private static final long NEVER_ARCHIVED = 10;

  private final OpenLedger old;
  private final OpenLedger copy;
  private final long archiveBytes;
  private final JobControl unlimited;
  private final JobWatch watch;
  private final MessageDigest digest;
  private long copied;

  CopyFill(OpenLedger old, OpenLedger copy, long archiveBytes, JobControl control, JobWatch watch) {
    this.old = old;
    this.copy = copy;
    this.archiveBytes = archiveBytes;
    this.unlimited = new JobControl(control.listener(), OptionalLong.empty(), control.cancelled());
    this.watch = watch;
    this.digest = old.parts().format().digest().newDigest();
  }

  /** Returns false if it was cancelled. */
  boolean run() {
    long last = old.height();
    watch.begin("copy", last - copy.height());
    while (copy.height() < last) {
      if (watch.isCancelled()) {
        return false;
      }
      copySlice(last);
      FailPoint.pass("convert.copied");
      if (!archivedWhereDue()) {
        return false;
      }
    }
    return archivedAsTheLedger();
  }

  /** Returns how many blocks were copied. */
  long copied() {
    return copied;
  }

  private void copySlice(long last) {
    List<Block> slice = new ArrayList<>();
    long bytes = 0;
    for (long next = copy.height() + 1;
        next <= last && slice.size() < SLICE_BLOCKS && bytes < SLICE_BYTES;
        next++) {
      Block block = committed(next);
      slice.add(block);
      bytes += block.rawBytes();
    }
    copy.commitAll(slice);
    copied += slice.size();
    watch.advance(slice.size(), bytes);
  }

  /** Returns the block if it is the one that was committed: no damage is copied. */
  private Block committed(long height) {
    Block block =
        old.block(height).orElseThrow(() -> new IntegrityException("there is no block " + height));
    StoredBlock stored = StoredBlock.of(block);
    if (!BlockDigests.of(stored, digest).meta(stored).equals(old.metaRow(height).meta())) {
      throw new IntegrityException(
          "block %s is not what was committed, so it is not copied; run ledgerkeep verify"
              .formatted(height));
    }
    return block;
  }

  private boolean archivedWhereDue() {
    long pivot = copy.archivedHeight();
    long target =
        copy.highestNormal(Math.min(old.archivedHeight(), copy.height() - NEVER_ARCHIVED));
    return target <= pivot
        || copy.metaRow(target).normalBytes() - copy.archivedBytes() < archiveBytes
        || archived(target);
  }

  /** The ledger may have been archived, or restored, since the copy was begun. */
  private boolean archivedAsTheLedger() {
    long pivot = old.archivedHeight();
    return copy.archivedHeight() <= pivot
        ? archived(pivot)
        : !copy.restorer().restore(RestoreRequest.downTo(pivot + 1).with(unlimited)).cancelled();
  }

  private boolean archived(long target) {
    if (target <= copy.archivedHeight()) {
      return true;
    }
    boolean cancelled =
        copy.archiver().archive(ArchiveRequest.upTo(target).with(unlimited)).cancelled();
    FailPoint.pass("convert.archived");
    return !cancelled;
  }
}
