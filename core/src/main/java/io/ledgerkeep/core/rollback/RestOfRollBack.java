package io.ledgerkeep.core.rollback;

import io.ledgerkeep.Database;
import io.ledgerkeep.core.chain.ChainCut;
import io.ledgerkeep.core.chain.RollBackRecord;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is left of a roll back once it is committed: the batches that were worked out before are
 * written to the engines, all of them, as often as it takes; the backup gets its name; the record
 * goes. Done by every opening, before anything else is read. Neither archive nor blocks are needed.
 */
public final class RestOfRollBack {

  private static final Logger LOG = LoggerFactory.getLogger(RestOfRollBack.class);
  private static final String WORKSHOP = "ROLLINGBACK";

  /** What the backup is called while it is made. */
  public static final String BACKUP = "backup";

  static final String CHANGES = "CHANGES";

  private RestOfRollBack() {}

  /** Returns where all that a roll back makes lies until it is done. */
  public static Path workshop(Path directory) {
    return directory.resolve(WORKSHOP);
  }

  /** Returns the directory of a backup. */
  public static Path backup(Path directory, String stamp) {
    return directory.resolve("backup-" + stamp + "-rollback");
  }

  /**
   * Finishes a roll back, if one was committed and not finished; returns its record. What one left
   * that was not committed goes.
   *
   * @param directory of the ledger, which the caller owns
   * @param engines with values as they were written
   * @throws IntegrityException if a file or a database of it is not what it was
   */
  public static Optional<RollBackRecord> finish(
      Path directory, Map<Database, StorageEngine> engines) {
    ChainCut cut = new ChainCut(engine(engines, Database.BLOCK));
    Optional<RollBackRecord> found = cut.unfinished();
    found.ifPresent(record -> finish(directory, engines, record));
    found.ifPresent(record -> end(directory, cut, record));
    removeWorkshop(directory);
    return found;
  }

  private static void finish(
      Path directory, Map<Database, StorageEngine> engines, RollBackRecord record) {
    LOG.info(
        "finishing the roll back from height {} to {}", record.heightBefore(), record.height());
    Path changes = workshop(directory).resolve(CHANGES);
    try {
      requireThatDatabase(engines, Database.STATE, record);
      requireThatDatabase(engines, Database.HISTORY, record);
      ChangeFile.require(changes, record.changes());
    } catch (IntegrityException e) {
      throw new IntegrityException(
          "the ledger in %s was rolled back to height %s, and what is left to do of that cannot be done: %s; rebuild state and history (rebuild-dbs without a height)"
              .formatted(directory, record.height(), e.getMessage()),
          e);
    }
    ChangeFile.forEach(
        changes,
        (database, batch) -> {
          StorageEngine engine = engine(engines, database);
          StorageEngine below = engine instanceof SealedEngine sealing ? sealing.below() : engine;
          below.write(batch, Durability.BUFFERED);
          FailPoint.pass("rollback.applied");
        });
    engines.values().forEach(StorageEngine::flush);
    FailPoint.pass("rollback.flushed");
  }

  private static StorageEngine engine(Map<Database, StorageEngine> engines, Database database) {
    return Objects.requireNonNull(engines.get(database));
  }

  /** Another copy that was put there is not what the changes are for. */
  private static void requireThatDatabase(
      Map<Database, StorageEngine> engines, Database database, RollBackRecord record) {
    long height = DerivedStore.height(engine(engines, database));
    if (height != record.heightBefore() && height != record.height()) {
      throw new IntegrityException(
          "the %s database is at height %s, but was at %s: it is another copy"
              .formatted(database.lowerCaseName(), height, record.heightBefore()));
    }
  }

  /**
   * Ends a roll back of which state, history and indexes are right by now, however they became so.
   */
  public static void endAsItIs(Path directory, StorageEngine block) {
    ChainCut cut = new ChainCut(block);
    cut.unfinished().ifPresent(record -> end(directory, cut, record));
    removeWorkshop(directory);
  }

  private static void end(Path directory, ChainCut cut, RollBackRecord record) {
    Path made = workshop(directory).resolve(BACKUP);
    Path backup = backup(directory, record.stamp());
    try {
      if (Files.exists(made)) { // else it has its name already
        Files.move(made, backup, StandardCopyOption.ATOMIC_MOVE);
      }
      SmallFile.syncDirectory(directory);
    } catch (IOException e) {
      throw SmallFile.failed("cannot move " + made + " to " + backup, e);
    }
    FailPoint.pass("rollback.kept");
    cut.finished();
    FailPoint.pass("rollback.finished");
  }

  /** Removes what a roll back that was not committed left, or one that is finished. */
  public static void removeWorkshop(Path directory) {
    Directories.delete(workshop(directory));
  }
}
