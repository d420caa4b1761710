package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder.Plan;
import io.ledgerkeep.Rebuilder.Report;
import io.ledgerkeep.Rebuilder.RollBack;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.chain.ChainCut;
import io.ledgerkeep.core.chain.RollBackRecord;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.rollback.Aim;
import io.ledgerkeep.core.rollback.RestOfRollBack;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rolls a ledger back to a height for who owns its directory: opens it, lets {@link
 * io.ledgerkeep.core.rollback.RollBack} come to the commit, closes it and opens it again, which
 * does the rest, and then ends its archive there.
 */
final class RollBackJob {

  private static final Logger LOG = LoggerFactory.getLogger(RollBackJob.class);

  /** Values that are sealed one by one take more room than bodies that are sealed in frames. */
  private static final int CHANGES_FACTOR = 2;

  private static final long SMALL_FILES = 1 << 20;

  private final Settings settings;
  private final long height;
  private final Clock clock;
  private final JobWatch watch;
  private final Path directory;
  private final long begin = System.nanoTime();

  RollBackJob(Settings settings, long height, Clock clock, JobWatch watch) {
    this.settings = settings;
    this.height = height;
    this.clock = clock;
    this.watch = watch;
    this.directory = settings.requiredDirectory();
  }

  // ------------------------------------------------------------------------------------ plan

  /** Returns what would be done; empty where the ledger is not above the height. */
  Optional<Plan> plan(Layout layout, Encryption.Keys keys) {
    try (BlockSide blocks = BlockSide.open(settings, layout, keys)) {
      if (height >= blocks.site().chain().last()) {
        return Optional.empty();
      }
      blocks.requireArchive();
      Aim aim = aim(blocks);
      return Optional.of(
          new Plan(
              height,
              aim.heightBefore() - height,
              aim.archivedBlocksToRemove() + aim.restoredBlocks(),
              aim.bytesToRemove() + aim.bytesToRestore(),
              Map.of(Database.BLOCK, sum(needed(aim, layout))),
              Optional.of(aim.told())));
    }
  }

  private Aim aim(BlockSide blocks) {
    return Aim.of(
        blocks.site().chain(),
        height,
        OpenLedger.unarchivedBlocks(settings, blocks.site().chain().unarchivedBlocks()));
  }

  private Map<Path, Long> needed(Aim aim, Layout layout) {
    Map<Path, Long> needed = new LinkedHashMap<>();
    needed.put(
        RestOfRollBack.workshop(directory), SMALL_FILES + CHANGES_FACTOR * aim.bytesToRemove());
    if (aim.bytesToRestore() > 0) {
      needed.put(
          directory.resolve(layout.place(Database.BLOCK).directory()),
          (long) (CopyRoom.SEALED_FACTOR * aim.bytesToRestore()));
    }
    return needed;
  }

  private static long sum(Map<Path, Long> needed) {
    return needed.values().stream().mapToLong(Long::longValue).sum();
  }

  // ------------------------------------------------------------------------------------ run

  /**
   * Rolls the ledger back, or finishes a roll back to the same height; returns empty where neither
   * is to be done.
   */
  Optional<Report> run(Layout layout, Encryption.Keys keys) {
    Optional<RollBackRecord> begun;
    long pivot;
    try (BlockSide blocks = BlockSide.open(settings, layout, keys)) {
      begun = new ChainCut(blocks.engine()).unfinished();
      pivot = blocks.site().chain().mark().pivot();
      boolean isThere = height >= blocks.site().chain().last();
      if (isThere && begun.filter(record -> record.height() == height).isEmpty()) {
        return Optional.empty();
      }
      if (!isThere) {
        blocks.requireArchive();
        CopyRoom.require(needed(aim(blocks), layout), settings);
      }
    }
    Optional<Report> report = rollBack(keys);
    return report.isPresent() ? report : begun.map(record -> finished(record, pivot));
  }

  /** Returns empty where there was only something to finish, which opening did. */
  private Optional<Report> rollBack(Encryption.Keys keys) {
    String stamp = stamp();
    Aim aim;
    try (OpenLedger ledger = openWhole(keys)) {
      if (ledger.height() <= height) {
        endArchive(ledger);
        return Optional.empty();
      }
      aim = Aim.of(ledger.site().chain(), height, ledger.site().unarchivedBlocks().getAsLong());
      if (!rollBack(ledger, aim, stamp)) {
        return Optional.of(cancelled(aim));
      }
    }
    try (OpenLedger ledger = open(keys)) {
      if (ledger.height() != height) {
        throw new AssertionError("the ledger is owned, and is at height " + ledger.height());
      }
      FailPoint.pass("rollback.opened");
      endArchive(ledger);
    }
    FailPoint.pass("rollback.done");
    return Optional.of(report(aim.told(), stamp));
  }

  private OpenLedger openWhole(Encryption.Keys keys) {
    try {
      return open(keys);
    } catch (IntegrityException e) {
      throw new IntegrityException(
          "the ledger in %s cannot be rolled back as it is; make state and history anew first (rebuild-dbs without a height): %s"
              .formatted(directory, e.getMessage()),
          e);
    }
  }

  private OpenLedger open(Encryption.Keys keys) {
    Settings opening = settings.copy();
    opening.keepsUnarchivedBlocks = false;
    return new LedgerOpener(opening).openOwned(keys);
  }

  /** Returns false if it was cancelled, and then nothing of it is there. */
  private boolean rollBack(OpenLedger ledger, Aim aim, String stamp) {
    Path workshop = makeWorkshop();
    FailPoint.pass("rollback.begun");
    boolean done;
    try (ArchiveStore backup = store(workshop.resolve(RestOfRollBack.BACKUP))) {
      done = ledger.rollBack(aim, watch).run(workshop, backup, stamp);
    } catch (RuntimeException | Error e) {
      removeWorkshopAfter(e, ledger);
      throw e;
    }
    if (!done) {
      RestOfRollBack.removeWorkshop(directory);
    }
    return done;
  }

  private Path makeWorkshop() {
    Path workshop = RestOfRollBack.workshop(directory);
    try {
      Files.createDirectories(workshop);
      SmallFile.syncDirectory(directory);
      return workshop;
    } catch (IOException e) {
      throw SmallFile.failed("cannot make " + workshop, e);
    }
  }

  private ArchiveStore store(Path path) {
    return new Settings.NamedStore("directory", Options.of("path", path.toString()))
        .open(Settings.ownClassLoader());
  }

  /** What cannot be removed now the next opening removes, unless the commit point was passed. */
  private void removeWorkshopAfter(Throwable failure, OpenLedger ledger) {
    try {
      if (new ChainCut(ledger.parts().engine(Database.BLOCK)).unfinished().isEmpty()) {
        RestOfRollBack.removeWorkshop(directory);
      }
    } catch (RuntimeException | Error e) {
      failure.addSuppressed(e);
    }
  }

  /** The ledger is what it has to be without that; it is done by whoever uses the archive next. */
  private static void endArchive(OpenLedger ledger) {
    try {
      ledger.archiving().endFormerBranch();
    } catch (LedgerkeepException e) {
      LOG.warn("the archive is ended where the ledger was rolled back to later: {}", e.toString());
    }
  }

  private String stamp() {
    return Beside.firstFree(
        clock, stamp -> stamp, stamp -> List.of(RestOfRollBack.backup(directory, stamp)));
  }

  // ------------------------------------------------------------------------------------ report

  private Report finished(RollBackRecord record, long pivot) {
    return report(
        new RollBack(record.heightBefore(), height, record.pivotBefore(), pivot, 0),
        record.stamp());
  }

  private Report report(RollBack told, String stamp) {
    Path backup = RestOfRollBack.backup(directory, stamp);
    return new Report(
        height,
        0,
        0,
        0,
        Optional.of(backup),
        List.of(backup),
        false,
        Duration.ofNanos(System.nanoTime() - begin),
        Optional.of(told));
  }

  private Report cancelled(Aim aim) {
    return new Report(
        -1,
        0,
        0,
        0,
        Optional.empty(),
        List.of(),
        true,
        Duration.ofNanos(System.nanoTime() - begin),
        Optional.of(aim.told()));
  }
}
