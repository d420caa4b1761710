package io.ledgerkeep.core.chain;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.util.List;
import java.util.Optional;

/**
 * Cuts the newest blocks off a chain, as its block database records it. Rows above the last height
 * are invisible and swept away, whether a commit left them there or a cut did; so the cut itself is
 * a few records.
 */
public final class ChainCut {

  private final StorageEngine engine;

  /** Works on a block database. */
  public ChainCut(StorageEngine engine) {
    this.engine = engine;
  }

  /** Returns the roll back that is past its commit point and not finished, if there is one. */
  public Optional<RollBackRecord> unfinished() {
    return engine.get(ChainKeys.ROLL_BACK).map(RollBackRecord::decode);
  }

  /**
   * The commit point of a roll back: from here on the blocks above the height are unknown. No
   * record says more than is true of the rest: what the id filter and state and history are known
   * to cover ends there too, or else a crash could let an id in twice.
   *
   * @param pivot the new pivot; bodies above it were put back
   * @param end where the archive has to end
   * @param endsJob whether the record of a job is about what was put back
   */
  public void commit(RollBackRecord record, long pivot, ArchiveEnd end, boolean endsJob) {
    WriteBatch batch = new WriteBatch();
    batch.put(ChainKeys.LAST, ChainStore.number(record.height()));
    ChainStore.number(engine, ChainKeys.DERIVED)
        .map(through -> ChainStore.number(Math.min(through, record.height())))
        .ifPresent(through -> batch.put(ChainKeys.DERIVED, through));
    ChainStore.coveredUpTo(engine, record.height())
        .ifPresent(covered -> batch.put(ChainKeys.FILTER, covered));
    engine
        .get(ChainKeys.PIVOT)
        .map(mark -> ArchiveMark.decode(mark).withPivot(pivot).encode())
        .ifPresent(mark -> batch.put(ChainKeys.PIVOT, mark));
    batch.put(ChainKeys.ARCHIVE_END, lower(end).encode());
    Branches.add(batch, engine, record.height());
    if (endsJob) {
      batch.delete(ChainKeys.JOB);
    }
    batch.put(ChainKeys.ROLL_BACK, record.encode());
    engine.write(batch, Durability.DURABLE);
  }

  /** An earlier roll back may have gone deeper, and the archive not be written since. */
  private ArchiveEnd lower(ArchiveEnd end) {
    return engine
        .get(ChainKeys.ARCHIVE_END)
        .map(ArchiveEnd::decode)
        .filter(earlier -> earlier.height() <= end.height())
        .orElse(end);
  }

  /** Records that nothing is left to do of a roll back. */
  public void finished() {
    engine.write(new WriteBatch().delete(ChainKeys.ROLL_BACK), Durability.DURABLE);
  }

  /** Returns the keys of the entries that lead to the transactions of a block. */
  public static List<Bytes> idKeys(StoredBlock block) {
    return block.transactions().stream()
        .map(row -> ChainKeys.id(StoredBlock.transactionId(row.join())))
        .toList();
  }
}
