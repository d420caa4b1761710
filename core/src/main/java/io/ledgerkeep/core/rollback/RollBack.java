package io.ledgerkeep.core.rollback;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.archiving.Archiving;
import io.ledgerkeep.core.archiving.BranchBackup;
import io.ledgerkeep.core.archiving.Site;
import io.ledgerkeep.core.chain.ArchiveEnd;
import io.ledgerkeep.core.chain.ChainCut;
import io.ledgerkeep.core.chain.RollBackRecord;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.derived.Unwinding;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Rolls an open ledger back to a height: back up the blocks above it → put back, invisible, the
 * bodies that are no more to be archived → work out into a file how state, history and indexes
 * change → commit, in one batch of records. All that can fail comes before the commit, and changes
 * nothing that is seen. What comes after it {@link RestOfRollBack} does.
 *
 * <p>All steps cost what the blocks above the height cost, and what comes back; those below are
 * read only where one of them was the last to write a key. For one thread.
 */
public final class RollBack {

  private static final long CHUNK_BYTES = 4 << 20;
  private static final int CHUNK_BLOCKS = 512;

  private final Site site;
  private final Archiving archiving;
  private final Parts parts;
  private final Aim aim;
  private final JobWatch watch;

  /**
   * The databases of the ledger.
   *
   * @param engines with values as they were written
   * @param statePieceBytes the piece size of the state database
   * @param historyPieceBytes the piece size of the history database
   */
  public record Parts(
      Map<Database, StorageEngine> engines, int statePieceBytes, int historyPieceBytes) {

    StorageEngine engine(Database database) {
      return Objects.requireNonNull(engines.get(database));
    }
  }

  /** Prepares a roll back. */
  public RollBack(Site site, Archiving archiving, Parts parts, Aim aim, JobWatch watch) {
    this.site = site;
    this.archiving = archiving;
    this.parts = parts;
    this.aim = aim;
    this.watch = watch;
  }

  /**
   * Rolls back. Returns false if it was cancelled, and then nothing is changed; else the ledger is
   * to be closed, and opened again.
   *
   * @param workshop a directory that is there
   * @param store a store in its directory {@link RestOfRollBack#BACKUP}
   * @param stamp part of the name of the backup
   */
  public boolean run(Path workshop, ArchiveStore store, String stamp) {
    archiving.settle();
    Optional<Bytes> changes;
    try {
      changes = prepare(workshop, store);
    } catch (RuntimeException | Error e) {
      settleAfter(e);
      throw e;
    }
    if (changes.isEmpty()) {
      archiving.settle();
      return false;
    }
    commit(
        new RollBackRecord(
            aim.heightBefore(), aim.height(), aim.pivotBefore(), stamp, changes.get()));
    return true;
  }

  /** What cannot be settled now, the next job settles. */
  private void settleAfter(Throwable failure) {
    try {
      archiving.settle();
    } catch (RuntimeException | Error e) {
      failure.addSuppressed(e);
    }
  }

  private Optional<Bytes> prepare(Path workshop, ArchiveStore store) {
    BranchBackup backup = archiving.backUp(store, aim.height() + 1, watch);
    if (!backup.write() || !putBodiesBack()) {
      return Optional.empty();
    }
    FailPoint.pass("rollback.restored");
    return writeChanges(workshop.resolve(RestOfRollBack.CHANGES), backup);
  }

  private boolean restores() {
    return aim.restoredBlocks() > 0;
  }

  private boolean putBodiesBack() {
    return !restores() || archiving.putBack(aim.pivot() + 1, aim.lastToRestore(), watch);
  }

  // ------------------------------------------------------------------------------------ changes

  /** Returns the digest of the file, or empty if it was cancelled. */
  private Optional<Bytes> writeChanges(Path file, BranchBackup backup) {
    watch.begin("take back", aim.heightBefore() - aim.height());
    try (ChangeFile.Writer writer = new ChangeFile.Writer(file)) {
      Changes changes = new Changes(writer);
      if (!backup.forEach(changes::add)) {
        return Optional.empty();
      }
      changes.finish();
      Bytes digest = writer.finish();
      ChangeFile.require(file, digest);
      FailPoint.pass("rollback.prepared");
      return Optional.of(digest);
    }
  }

  /** Collects blocks until they are worth a look. */
  private final class Changes {

    private final StorageEngine ids;
    private final Unwinding unwinding;
    private final List<Block> chunk = new ArrayList<>();
    private WriteBatch archivedIds = new WriteBatch();
    private long chunkBytes;

    Changes(ChangeFile.Writer writer) {
      ids = recording(Database.BLOCK, writer);
      unwinding =
          new Unwinding(
              new DerivedStore(
                  recording(Database.STATE, writer),
                  parts.statePieceBytes(),
                  recording(Database.HISTORY, writer),
                  parts.historyPieceBytes()),
              aim.height(),
              archiving::rwSet);
    }

    /** Returns whether to go on. */
    boolean add(StoredBlock block) {
      long height = block.head().height();
      chunk.add(block.decode());
      chunkBytes += block.bodyBytes();
      if (site.chain().isArchived(site.chain().reader().requiredMeta(height).meta())) {
        ChainCut.idKeys(block).forEach(this::removeId); // there is no row that leads to them
      }
      if (chunkBytes >= CHUNK_BYTES || chunk.size() >= CHUNK_BLOCKS) {
        takeBack();
      }
      return !watch.isCancelled();
    }

    private void removeId(Bytes key) {
      StorageEngine.Limits limits = ids.limits();
      if (archivedIds.size() >= limits.maxBatchCount()
          || archivedIds.bytes() + key.size() > limits.maxBatchBytes()) {
        writeIds();
      }
      archivedIds.delete(key);
    }

    private void writeIds() {
      if (archivedIds.isEmpty()) {
        return;
      }
      ids.write(archivedIds, StorageEngine.Durability.BUFFERED);
      archivedIds = new WriteBatch();
    }

    private void takeBack() {
      unwinding.takeBack(List.copyOf(chunk));
      watch.advance(chunk.size(), chunkBytes);
      chunk.clear();
      chunkBytes = 0;
    }

    void finish() {
      takeBack();
      writeIds();
      unwinding.finish();
    }
  }

  private StorageEngine recording(Database database, ChangeFile.Writer writer) {
    StorageEngine engine = parts.engine(database);
    Consumer<WriteBatch> notes = batch -> writer.append(database, batch);
    if (engine instanceof SealedEngine sealing) {
      StorageEngine below = new RecordingEngine(sealing.below(), notes);
      return database == Database.BLOCK ? below : sealing.on(below); // of which keys only go
    }
    return new RecordingEngine(engine, notes);
  }

  // ------------------------------------------------------------------------------------ commit

  private void commit(RollBackRecord record) {
    Bytes hash = site.chain().reader().requiredMeta(aim.height()).meta().hash();
    ChainCut cut = new ChainCut(parts.engine(Database.BLOCK));
    site.room()
        .during(
            () -> cut.commit(record, aim.pivot(), new ArchiveEnd(aim.height(), hash), restores()));
    FailPoint.pass("rollback.committed");
  }
}
