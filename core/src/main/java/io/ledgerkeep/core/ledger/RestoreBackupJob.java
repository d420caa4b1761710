package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Backup.Outcome;
import io.ledgerkeep.Backup.Restored;
import io.ledgerkeep.Backup.Restoring;
import io.ledgerkeep.Backup.Restoring.Mode;
import io.ledgerkeep.Database;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.core.backup.BackupHead;
import io.ledgerkeep.core.backup.BackupLoader;
import io.ledgerkeep.core.backup.BackupManifest;
import io.ledgerkeep.core.backup.BackupSet;
import io.ledgerkeep.core.backup.Position;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.ledger.RestoreRecord.Step;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restores a ledger from its backups: record → registry of keys → rows, compared → the blocks above
 * the state applied → verified → re-wrapped → {@code LAYOUT}, which makes it a ledger → tidy up.
 * Until then there is none, whatever happens, and the same call goes on where it was.
 */
final class RestoreBackupJob {

  private static final Logger LOG = LoggerFactory.getLogger(RestoreBackupJob.class);

  private final Settings settings;
  private final Restoring restoring;
  private final Path directory;
  private final JobWatch watch;
  private final BackupSet set;
  private final List<BackupManifest> chain;
  private final BackupManifest backup;
  private final BackupLoader loader;
  private final FreshPlace place;
  private final RestoreEngines engines;
  private final RestoreKeys keys;
  private final long begin = System.nanoTime();
  private long uncheckedBlocks;
  private long addedBlocks;

  RestoreBackupJob(Settings settings, Restoring restoring) {
    this.settings = settings;
    this.restoring = restoring;
    this.directory = settings.requiredDirectory();
    this.watch = new JobWatch(restoring.control(), () -> false);
    this.set = new BackupSet(restoring.directory());
    this.chain = set.chain(restoring.number());
    this.backup = chain.get(chain.size() - 1);
    this.loader = new BackupLoader(set, chain);
    this.place =
        new FreshPlace(
            settings,
            RestoreEngines.layout(settings, head()),
            RestoreRecord.file(directory),
            RestoreRecord.workshop(directory),
            "restored");
    this.engines = new RestoreEngines(settings, place);
    this.keys = new RestoreKeys(settings, restoring, set, chain);
  }

  private BackupHead head() {
    return backup.head();
  }

  Restored run() {
    FreshPlace.requireOwnEngines(settings, place.layout());
    FreshPlace.requireApart(directory, restoring.directory(), "the backups");
    keys.requireFit();
    requireWantedChain();
    loader.requireThere();
    if (restoring.mode() == Mode.PLAN) {
      try (RestoreKeys.Opened opened = keys.open()) {
        return loader.requireWhole(watch) ? restored(Outcome.DONE, 0, 0) : cancelled();
      }
    }
    boolean isOurs = place.make();
    try {
      return runOwned();
    } finally {
      if (restoring.mode() == Mode.REHEARSE && isOurs) {
        place.removeIfEmpty();
      }
    }
  }

  private void requireWantedChain() {
    String chainId = head().ledger().chainId();
    if (settings.chainId != null && !settings.chainId.equals(chainId)) {
      throw new ConflictException(
          Reason.OTHER_CHAIN,
          "the backups in %s are of chain '%s', not '%s'"
              .formatted(restoring.directory(), chainId, settings.chainId));
    }
    if (restoring.addArchive() && settings.store == null) {
      throw new ConfigurationException("no archive was given to add blocks from");
    }
  }

  private Restored runOwned() {
    try (OwnerLock lock = OwnerLock.take(directory);
        RestoreKeys.Opened opened = keys.open()) {
      Optional<RestoreRecord> found = RestoreRecord.read(directory);
      if (Layout.exists(directory)) {
        return switchedBefore(found, opened);
      }
      Optional<RestoreRecord> begun =
          found.filter(
              record ->
                  record.backup().equals(backup.digest())
                      && record.layout().equals(place.layout()));
      if (begun.isEmpty()) {
        found.ifPresent(another -> place.removeAll());
        place.requireEmpty();
      }
      engines.requireRoom(loader.rawBytes());
      RestoreRecord record = begun.orElseGet(this::newRecord);
      record.write(directory);
      FailPoint.pass("restored.begun");
      return restore(record, opened);
    }
  }

  private RestoreRecord newRecord() {
    return new RestoreRecord(
        backup.digest(), RestoreRecord.NOT_BEGUN, Step.LOADING, place.layout());
  }

  /** A call that was killed after the switch left only this to do. */
  private Restored switchedBefore(Optional<RestoreRecord> found, RestoreKeys.Opened opened) {
    if (found.filter(record -> record.backup().equals(backup.digest())).isEmpty()
        || restoring.mode() == Mode.REHEARSE) {
      throw new ConfigurationException(
          "there is a ledger in %s already; restore into an empty directory".formatted(directory));
    }
    try (OpenLedger ledger = new LedgerOpener(place.opening()).openOwned(opened.ofLedger())) {
      addedBlocks = ledger.height() - head().position().height();
      uncheckedBlocks =
          needsArchive() ? ledger.metaRow(head().position().pivot()).normalBlocks() : 0;
    }
    finish(opened);
    return restored(Outcome.DONE, uncheckedBlocks, addedBlocks);
  }

  // ------------------------------------------------------------------------------------ restore

  private Restored restore(RestoreRecord begun, RestoreKeys.Opened opened) {
    try {
      RestoreRecord record = begun;
      opened.putBack(place.home(Database.BLOCK));
      FailPoint.pass("restored.keys");
      if (record.step() == Step.LOADING) {
        if (!loadedAndCompared(record)) {
          return cancelled();
        }
        prepare(opened);
        FailPoint.pass("restored.prepared");
        record = record.at(Step.PREPARED);
        record.write(directory);
      }
      if (!isProven(opened)) {
        return cancelled();
      }
      FailPoint.pass("restored.verified");
      switchTo(opened);
      return restored(Outcome.DONE, uncheckedBlocks, addedBlocks);
    } catch (UnprovenException e) {
      place.removeAll();
      throw new IntegrityException(
          "what was restored of backup %s does not pass and was removed; there is no ledger in %s. Look after both disks, and restore again or an earlier backup: %s"
              .formatted(head().number(), directory, e.getMessage()),
          e);
    } catch (RuntimeException | Error e) {
      if (restoring.mode() == Mode.REHEARSE) {
        place.removeAll();
      }
      throw e;
    }
  }

  /** What lies on the engines is not what the backups have. */
  private static final class UnprovenException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UnprovenException(String message) {
      super(message);
    }
  }

  private boolean loadedAndCompared(RestoreRecord record) {
    Resources resources = new Resources();
    try {
      Map<Database, StorageEngine> opened = engines.open(resources);
      if (record.loaded() == RestoreRecord.NOT_BEGUN) {
        RestoreEngines.requireFree(opened);
        record.withLoaded(0).write(directory);
      }
      boolean complete =
          loader.load(
                  opened,
                  Math.max(0, record.loaded()),
                  watch,
                  files -> record.withLoaded(files).write(directory))
              && isEqual(opened);
      resources.close();
      return complete;
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private boolean isEqual(Map<Database, StorageEngine> opened) {
    try {
      boolean complete = loader.compare(opened, watch);
      FailPoint.pass("restored.compared");
      return complete;
    } catch (IntegrityException e) {
      throw new UnprovenException(String.valueOf(e.getMessage()));
    }
  }

  private void prepare(RestoreKeys.Opened opened) {
    Resources resources = new Resources();
    try {
      StorageEngine blocks =
          new LedgerOpener(place.opening())
              .openBlocks(place.layout(), resources, opened.ofBackup())
              .engine();
      ChainStore.prepareRestored(blocks, head().position().height(), loader.derivedHeight());
      resources.close();
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  // ------------------------------------------------------------------------------------ prove

  /** Returns false if it was cancelled. */
  private boolean isProven(RestoreKeys.Opened opened) {
    try (OpenLedger ledger = opened(opened)) {
      FailPoint.pass("restored.opened");
      requirePosition(ledger);
      ledger.dropArchivedBodies(loader.derivedHeight() + 1);
      FailPoint.pass("restored.dropped");
      List<String> ofKeys =
          needsArchive() && settings.store != null // refused where it is another
              ? ledger.archiveKeyFindings()
              : List.of();
      ArchivedTail tail = new ArchivedTail(ledger, Optional.ofNullable(settings.verifier), watch);
      if (restoring.addArchive() && !tail.add()) {
        return false;
      }
      addedBlocks = ledger.height() - head().position().height();
      Verification found =
          ledger.check(Verification.Request.of(Verification.Level.LEDGER).with(withoutRate()));
      requireNone(found.findings(), ofKeys);
      uncheckedBlocks = found.uncheckedBlocks();
      return !found.cancelled();
    }
  }

  /** Opening applies the blocks above the state. */
  private OpenLedger opened(RestoreKeys.Opened opened) {
    try {
      Settings workshop = place.workshop();
      workshop.replayWatch = watch;
      return new LedgerOpener(workshop).openOwned(opened.ofNow(place.home(Database.BLOCK)));
    } catch (IntegrityException e) {
      throw new UnprovenException(String.valueOf(e.getMessage()));
    }
  }

  /**
   * The archive may be under a newer master key than the backup: it is told, and no reason not to
   * restore. What else is wrong may be the archive's too, which is no fault of the backup.
   */
  private void requireNone(List<String> findings, List<String> ofKeys) {
    ofKeys.forEach(
        finding -> LOG.warn("the archive is not under the key of the backup: {}", finding));
    Optional<String> wrong =
        findings.stream().filter(finding -> !ofKeys.contains(finding)).findFirst();
    if (wrong.isPresent() && needsArchive() && settings.store != null) {
      throw new IntegrityException(
          "backup %s and the archive do not pass together, and there is no ledger in %s yet. If it is the archive, mend it and make the same call again, or make it without the archive; if it goes on above the backup, add its blocks (--add-archive) or leave it out; else empty the directory and restore again: %s"
              .formatted(head().number(), directory, wrong.get()));
    }
    if (wrong.isPresent()) {
      throw new UnprovenException(wrong.get());
    }
  }

  private boolean needsArchive() {
    return head().position().pivot() > 0;
  }

  private void switchTo(RestoreKeys.Opened opened) {
    opened.rewrap(place.home(Database.BLOCK));
    if (opened.areOthers()) {
      // Who cannot open it under the new key has it under the old one still.
      new LedgerOpener(place.workshop()).openOwned(opened.ofLedger()).close();
    }
    if (restoring.mode() == Mode.REHEARSE) {
      place.removeAll();
    } else {
      place.switchTo();
      finish(opened);
    }
  }

  /** What the switch leaves to do, as often as it takes. */
  private void finish(RestoreKeys.Opened opened) {
    if (opened.areOthers() && settings.store != null) {
      try (OpenLedger ledger = new LedgerOpener(place.opening()).openOwned(opened.ofLedger())) {
        ledger.reconcileArchiveKeys();
      }
      FailPoint.pass("restored.reconciled");
    }
    ClosedNotes.noteMade(
        directory,
        opened.ofLedger(),
        "restore-backup",
        Map.of("backups", restoring.directory(), "backup", head().number()));
    place.tidyUp();
    opened.confirm();
  }

  private JobControl withoutRate() {
    JobControl control = restoring.control();
    return new JobControl(control.listener(), OptionalLong.empty(), control.cancelled());
  }

  private void requirePosition(OpenLedger ledger) {
    Position wanted = head().position();
    boolean isThere =
        ledger.height() >= wanted.height()
            && ledger.archivedHeight() == wanted.pivot()
            && (wanted.height() < 0
                || ledger.metaRow(wanted.height()).meta().hash().equals(wanted.hash()));
    if (!isThere) {
      throw new UnprovenException(
          "the ledger is at height %s, archived to %s; the backup was at %s, archived to %s"
              .formatted(
                  ledger.height(), ledger.archivedHeight(), wanted.height(), wanted.pivot()));
    }
  }

  // ------------------------------------------------------------------------------------ report

  private Restored cancelled() {
    if (restoring.mode() == Mode.REHEARSE) {
      RestoreRecord.read(directory).ifPresent(record -> place.removeAll());
    }
    return restored(Outcome.CANCELLED, 0, 0);
  }

  private Restored restored(Outcome outcome, long uncheckedBlocks, long added) {
    BackupHead head = head();
    return new Restored(
        outcome,
        chain.stream().map(manifest -> manifest.head().number()).toList(),
        head.ledger().chainId(),
        head.ledger().ledgerId().hex(),
        head.position().height() + added,
        head.position().pivot(),
        uncheckedBlocks,
        added,
        loader.bytes(),
        engines.neededBytes(loader.rawBytes()),
        Duration.ofNanos(System.nanoTime() - begin));
  }
}
