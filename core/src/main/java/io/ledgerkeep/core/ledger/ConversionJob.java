package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep.Conversion;
import io.ledgerkeep.Ledgerkeep.Conversion.Direction;
import io.ledgerkeep.Ledgerkeep.Conversion.Outcome;
import io.ledgerkeep.Ledgerkeep.Conversion.Report;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.archive.ArchiveNames;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.jobs.JobBook;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.sealing.Keyring;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Encrypts a ledger in plain, or the other way round: record → copy → verify and compare → one
 * replacement of {@code LAYOUT}, which is the switch → tidy up. Before the switch the ledger is as
 * it was, whatever happens; after it, the next run only tidies up.
 */
final class ConversionJob {

  private static final Logger LOG = LoggerFactory.getLogger(ConversionJob.class);

  private final Settings settings;
  private final Conversion conversion;
  private final Direction direction;
  private final Clock clock;
  private final Path directory;
  private final JobWatch watch;
  private final long begin = System.nanoTime();

  ConversionJob(Settings settings, Conversion conversion, Clock clock) {
    this.settings = settings;
    this.conversion = conversion;
    this.direction = conversion.direction();
    this.clock = clock;
    this.directory = settings.requiredDirectory();
    this.watch = new JobWatch(conversion.control(), () -> false);
  }

  Report run() {
    if (!Layout.exists(directory)) {
      throw new ConfigurationException("there is no ledger in " + directory);
    }
    if (direction == Direction.ENCRYPT && settings.encryption == Encryption.NONE) {
      throw new ConfigurationException(
          "no key was given to encrypt with; set encryptor and encrypt_key");
    }
    try (OwnerLock lock = OwnerLock.take(directory);
        Encryption.Keys keys = settings.encryption.open(settings.classLoader);
        Encryption.Keys none = Encryption.NONE.open(settings.classLoader)) {
      if (conversion.dryRun()) {
        return convert(keys, none);
      }
      return ClosedNotes.book(directory, keys)
          .run(
              direction == Direction.ENCRYPT ? "encrypt" : "decrypt",
              Map.of(),
              run -> told(run, convert(keys, none)));
    }
  }

  private static Report told(JobBook.Run run, Report report) {
    run.ended(
        report.outcome() == Outcome.CANCELLED,
        Map.of("ledger", report.ledgerIdAfter(), "outcome", report.outcome()));
    return report;
  }

  private Report convert(Encryption.Keys given, Encryption.Keys none) {
    return direction == Direction.ENCRYPT ? convertTo(given, none) : convertTo(none, given);
  }

  private Report convertTo(Encryption.Keys to, Encryption.Keys from) {
    Layout layout = Layout.read(directory);
    Optional<CopyRecord> found = CopyRecord.read(directory);
    if (!conversion.dryRun() && found.isPresent() && found.get().layout().equals(layout)) {
      if (found.get().direction() == direction) {
        return finished(found.get(), 0, to);
      }
      keepBackup(found.get()); // an earlier conversion, the other way round
      tidyUp();
      found = Optional.empty();
    }
    if (isEncrypted(layout) == (direction == Direction.ENCRYPT)) {
      return nothingToDo(to);
    }
    return copyAndSwitch(layout, found, from, to);
  }

  private boolean isEncrypted(Layout layout) {
    return Keyring.head(directory.resolve(layout.place(Database.BLOCK).directory())).isPresent();
  }

  /** Opens the ledger all the same: somebody may think that it is under this key. */
  private Report nothingToDo(Encryption.Keys to) {
    try (OpenLedger ledger = new LedgerOpener(reading()).openOwned(to)) {
      String id = ledger.status().ledgerId();
      return report(Outcome.NOTHING_TO_DO, id, id, 0, 0, Optional.empty());
    }
  }

  private Report copyAndSwitch(
      Layout layout, Optional<CopyRecord> found, Encryption.Keys from, Encryption.Keys to) {
    settings.requireOwnEngines(layout, List.of(Database.values()));
    CopyRecord copy;
    long copied;
    try (OpenLedger old = new LedgerOpener(reading()).openOwned(from)) {
      requireArchive(old);
      Bytes id = old.parts().format().ledgerId();
      Optional<CopyRecord> begun =
          found
              .filter(record -> record.direction() == direction && record.from().equals(id))
              .map(record -> record.withOriginal(layout));
      copy =
          begun.orElseGet(
              () ->
                  CopyRecord.plan(
                      directory, layout, direction, id, LedgerOpener.randomId(), clock));
      CopyRoom room =
          new CopyRoom(
              settings,
              old,
              Beside.homes(directory, copy.layout()),
              direction == Direction.ENCRYPT,
              true);
      if (conversion.dryRun()) {
        return report(
            Outcome.PLANNED, id.hex(), "", old.height() + 1, room.neededBytes(), Optional.empty());
      }
      room.require();
      if (begun.isEmpty()) {
        found.ifPresent(another -> throwAwayUnlessLive(another, old));
      }
      copy.write(directory);
      FailPoint.pass("convert.begun");
      Optional<Long> filled = fill(copy, old, to);
      if (filled.isEmpty()) {
        return report(Outcome.CANCELLED, id.hex(), "", 0, room.neededBytes(), Optional.empty());
      }
      copied = filled.get();
    }
    switchTo(copy);
    return finished(copy, copied, to);
  }

  // ------------------------------------------------------------------------------------ the copy

  /** Returns how many blocks were copied once the copy has proven equal; nothing if cancelled. */
  private Optional<Long> fill(CopyRecord record, OpenLedger old, Encryption.Keys to) {
    boolean isWhole = false;
    try (OpenLedger copy = openCopy(record, old, to)) {
      FailPoint.pass("convert.created");
      CopyFill fill =
          new CopyFill(old, copy, settings.copyArchiveBytes, conversion.control(), watch);
      if (!fill.run()) {
        return Optional.empty();
      }
      copy.keepSettingsOf(old);
      isWhole = true;
      FailPoint.pass("convert.filled");
      boolean proven = new CopyCheck(old, copy, conversion.control(), watch).run();
      FailPoint.pass("convert.verified");
      return proven ? Optional.of(fill.copied()) : Optional.empty();
    } catch (IntegrityException e) {
      if (!isWhole) {
        throw e; // something is wrong with the ledger; the copy can go on when it is mended
      }
      throwAway(record, old);
      throw new IntegrityException(
          "the copy of the ledger in %s is not equal to it and was thrown away; nothing was switched. Run ledgerkeep verify, then this again: %s"
              .formatted(directory, e.getMessage()),
          e);
    }
  }

  private OpenLedger openCopy(CopyRecord record, OpenLedger old, Encryption.Keys to) {
    if (!Layout.exists(CopyRecord.workshop(directory))) {
      remove(record, old);
    }
    try {
      OpenLedger copy = openCopyAsItIs(record, old, to);
      if (isBeginningOf(copy, old)) {
        return copy;
      }
      copy.close();
    } catch (IntegrityException e) {
      LOG.warn("the copy begun earlier is damaged and is made anew: {}", e.getMessage());
    }
    remove(record, old);
    return openCopyAsItIs(record, old, to);
  }

  /** The ledger may have been rolled back since. */
  private static boolean isBeginningOf(OpenLedger copy, OpenLedger old) {
    long height = copy.height();
    return height <= old.height()
        && (height < 0 || copy.metaRow(height).equals(old.metaRow(height)));
  }

  private OpenLedger openCopyAsItIs(CopyRecord record, OpenLedger old, Encryption.Keys to) {
    Settings copy = settings.copy();
    copy.directory = CopyRecord.workshop(directory);
    copy.layout = record.layout().fromBelow();
    copy.ledgerId = record.to();
    copy.chainId = old.parts().format().chainId();
    copy.digest = old.parts().format().digest().id();
    copy.unarchivedBlocks = 0L; // the copy archives up to where the ledger has, whatever it keeps
    copy.keepsUnarchivedBlocks = false;
    copy.readThrough = true;
    for (Database database : Database.values()) {
      String engine = record.layout().place(database).engine();
      copy.engines.put(
          database,
          settings
              .choice(database)
              .orElseGet(() -> new Settings.NamedEngine(engine, Options.none())));
    }
    try {
      return new LedgerOpener(copy).openOwned(to);
    } catch (KeyUnavailableException e) {
      throw new KeyUnavailableException(
          e.reason(),
          "a copy of the ledger in %s was begun under another key; give that one, or remove what CONVERTING in there names to begin anew: %s"
              .formatted(directory, e.getMessage()),
          e);
    }
  }

  /** Returns settings to read a ledger with, wherever its bodies are; it keeps nothing of them. */
  private Settings reading() {
    Settings reading = settings.copy();
    reading.readThrough = true;
    reading.unarchivedBlocks = null;
    return reading;
  }

  private void requireArchive(OpenLedger old) {
    if (old.archivedHeight() > 0) {
      old.archive(); // refused where there is none, or another
    }
  }

  // ------------------------------------------------------------------------------------ the switch

  /** The commit point: from here on the directory is that of the copy. */
  private void switchTo(CopyRecord copy) {
    Beside.sync(copy.homes(directory));
    FailPoint.pass("convert.durable");
    copy.layout().write(directory);
    FailPoint.pass("convert.switched");
  }

  /** What the switch leaves to do, as often as it takes. */
  private Report finished(CopyRecord copy, long copied, Encryption.Keys to) {
    Report report;
    keepBackup(copy);
    FailPoint.pass("convert.kept");
    try (OpenLedger ledger = new LedgerOpener(reading()).openOwned(to)) {
      report =
          new Report(
              Outcome.DONE,
              copy.from().hex(),
              ledger.status().ledgerId(),
              copied,
              0,
              Optional.of(copy.backup(directory)),
              originals(copy),
              archiveOf(copy.from(), ledger),
              elapsed());
    }
    FailPoint.pass("convert.opened");
    tidyUp();
    if (direction == Direction.ENCRYPT) {
      to.confirm();
    }
    return report;
  }

  /** A ledger directory of the old databases, which stay where they are. */
  private void keepBackup(CopyRecord copy) {
    Beside.keep(copy.original().fromBelow(), directory, copy.backup(directory), "LAYOUT");
  }

  private List<Path> originals(CopyRecord copy) {
    List<Path> originals = new ArrayList<>(copy.originals(directory));
    originals.add(copy.backup(directory));
    return originals;
  }

  private Optional<String> archiveOf(Bytes ledgerId, OpenLedger ledger) {
    String[] found = {""};
    withArchiveOf(
        ledgerId, ledger, (store, prefix) -> found[0] = store.list(prefix).isEmpty() ? "" : prefix);
    return Optional.of(found[0]).filter(prefix -> !prefix.isEmpty());
  }

  private void tidyUp() {
    Directories.delete(CopyRecord.workshop(directory));
    FailPoint.pass("convert.tidied");
    CopyRecord.remove(directory);
    FailPoint.pass("convert.done");
  }

  // ------------------------------------------------------------------------------------ throw away

  /** A copy that was switched to, and moved since, is the ledger itself. */
  private void throwAwayUnlessLive(CopyRecord another, OpenLedger old) {
    if (another.to().equals(old.parts().format().ledgerId())) {
      tidyUp();
    } else {
      throwAway(another, old);
    }
  }

  private void throwAway(CopyRecord copy, OpenLedger old) {
    remove(copy, old);
    CopyRecord.remove(directory);
  }

  /**
   * Removes what there is of a copy that was not switched to; its LAYOUT first, so that the rest is
   * not taken for a copy.
   */
  private void remove(CopyRecord copy, OpenLedger old) {
    Layout.remove(CopyRecord.workshop(directory));
    FailPoint.pass("convert.removing");
    withArchiveOf(copy.to(), old, (store, prefix) -> store.list(prefix).forEach(store::delete));
    Directories.delete(CopyRecord.workshop(directory));
    copy.homes(directory).forEach(Directories::delete);
  }

  /** What an archive of a ledger of the same chain is good for. */
  private interface ArchiveUse {
    void of(ArchiveStore store, String prefix);
  }

  private void withArchiveOf(Bytes ledgerId, OpenLedger ofChain, ArchiveUse use) {
    Settings.StoreChoice choice = settings.store;
    if (choice == null || ofChain.height() < 0) {
      return;
    }
    String prefix = new ArchiveNames(ofChain.metaRow(0).meta().hash(), ledgerId).prefix();
    ArchiveStore store = choice.open(settings.classLoader);
    try {
      use.of(store, prefix);
    } finally {
      if (choice.isOurs()) {
        store.close();
      }
    }
  }

  private Report report(
      Outcome outcome,
      String before,
      String after,
      long blocks,
      long needed,
      Optional<Path> backup) {
    return new Report(
        outcome, before, after, blocks, needed, backup, List.of(), Optional.empty(), elapsed());
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - begin);
  }
}
