package io.ledgerkeep.core.rollback;

import io.ledgerkeep.Rebuilder;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.MetaRow;

/**
 * What a roll back has to come to.
 *
 * @param heightBefore the last height now
 * @param height the last height afterwards
 * @param pivotBefore the pivot now
 * @param pivot the pivot afterwards: as many of the newest blocks as ever are on the node
 * @param restoredBlocks how many bodies come back from the archive for that
 * @param bytesToRemove the encoded size of the bodies that go
 * @param bytesToRestore the encoded size of the bodies that come back
 */
public record Aim(
    long heightBefore,
    long height,
    long pivotBefore,
    long pivot,
    long restoredBlocks,
    long bytesToRemove,
    long bytesToRestore) {

  /** Looks at a ledger that is to be rolled back to a height below its newest. */
  public static Aim of(ChainStore chain, long height, long unarchivedBlocks) {
    ChainReader reader = chain.reader();
    long before = chain.last();
    long pivotBefore = chain.mark().pivot();
    long pivot =
        reader.highestNormal(Math.min(pivotBefore, Math.max(0, height - unarchivedBlocks)));
    MetaRow from = reader.requiredMeta(pivot);
    MetaRow to = reader.requiredMeta(Math.max(pivot, Math.min(height, pivotBefore)));
    return new Aim(
        before,
        height,
        pivotBefore,
        pivot,
        to.normalBlocks() - from.normalBlocks(),
        reader.requiredMeta(before).normalBytes() - reader.requiredMeta(height).normalBytes(),
        to.normalBytes() - from.normalBytes());
  }

  /** Returns the highest height whose body comes back. */
  long lastToRestore() {
    return Math.min(height, pivotBefore);
  }

  /** Returns how many of the blocks that go are read from the archive, at most. */
  public long archivedBlocksToRemove() {
    return Math.max(0, pivotBefore - height);
  }

  /** Returns the same in the words of the API. */
  public Rebuilder.RollBack told() {
    return new Rebuilder.RollBack(heightBefore, height, pivotBefore, pivot, restoredBlocks);
  }
}
