package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ArchivedException.Subject;

/** What a ledger answers when a body is in the archive only. Serves any number of threads. */
public interface ArchivedBodies {

  /** Returns the block of the meta. */
  Block block(BlockMeta meta);

  /** Returns a transaction of the block of the meta. */
  Transaction transaction(BlockMeta meta, int ordinal);

  /** Returns a read/write set of the block of the meta. */
  RwSet rwSet(BlockMeta meta, int ordinal, String txId);

  /** Refuses every question with the height and the place of the archive. */
  static ArchivedBodies refused(String place) {
    return new ArchivedBodies() {
      @Override
      public Block block(BlockMeta meta) {
        throw new ArchivedException(Subject.BLOCK, meta.height(), place);
      }

      @Override
      public Transaction transaction(BlockMeta meta, int ordinal) {
        throw new ArchivedException(Subject.TRANSACTION, meta.height(), place);
      }

      @Override
      public RwSet rwSet(BlockMeta meta, int ordinal, String txId) {
        throw new ArchivedException(Subject.RW_SET, meta.height(), place);
      }
    };
  }
}
