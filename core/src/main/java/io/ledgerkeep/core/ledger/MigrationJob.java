package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Migration;
import io.ledgerkeep.Migration.Outcome;
import io.ledgerkeep.Migration.Report;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.jobs.JobBook;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.ledger.ContentDigest.Content;
import io.ledgerkeep.core.ledger.DatabaseCopy.Side;
import io.ledgerkeep.core.ledger.LedgerOpener.Engines;
import io.ledgerkeep.core.ledger.MigrationRecord.Step;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings databases elsewhere: record → copy of the rows as they lie there → open the copy and
 * compare digests of all rows → one replacement of {@code LAYOUT}, which is the switch → tidy up.
 * Before the switch the ledger is as it was, whatever happens; after it, the next run only tidies
 * up. Where the ledger gets another directory, it is the {@code LAYOUT} of the old one that is
 * replaced, by one that refuses; only then the new one gets its own, so that no kill leaves two.
 */
final class MigrationJob {

  private static final Logger LOG = LoggerFactory.getLogger(MigrationJob.class);

  private final Settings settings;
  private final Migration migration;
  private final Clock clock;
  private final Path directory;
  private final MigrationPlaces places;
  private final JobWatch watch;
  private final long begin = System.nanoTime();
  private final Map<Database, Content> contents = new EnumMap<>(Database.class);

  MigrationJob(Settings settings, Migration migration, Clock clock) {
    this.settings = settings;
    this.migration = migration;
    this.clock = clock;
    this.directory = settings.requiredDirectory();
    this.places = new MigrationPlaces(migration, directory);
    this.watch = new JobWatch(migration.control(), () -> false);
  }

  Report run() {
    if (migration.directory().isEmpty() && migration.engine().isEmpty()) {
      throw new ConfigurationException(
          "it was not said where to migrate to: give a directory, an engine, or both");
    }
    if (!Layout.exists(directory)) {
      throw new ConfigurationException("there is no ledger in " + directory);
    }
    try (OwnerLock lock = OwnerLock.take(directory);
        Encryption.Keys keys = settings.encryption.open(settings.classLoader)) {
      Report report =
          migration.dryRun()
              ? migrate(keys)
              : ClosedNotes.book(this::directoryNow, keys)
                  .run("migrate", asked(), run -> told(run, migrate(keys)));
      if (report.outcome() == Outcome.DONE) {
        keys.confirm();
      }
      return report;
    }
  }

  private Map<String, Object> asked() {
    Map<String, Object> asked = new LinkedHashMap<>();
    migration.directory().ifPresent(to -> asked.put("directory", to));
    migration.engine().ifPresent(to -> asked.put("engine", to.name()));
    migration.database().ifPresent(only -> asked.put("database", only.lowerCaseName()));
    return asked;
  }

  private static Report told(JobBook.Run run, Report report) {
    run.ended(
        report.outcome() == Outcome.CANCELLED,
        Map.of("rows", report.rows(), "bytes", report.bytes(), "outcome", report.outcome()));
    return report;
  }

  /** Returns where the ledger is: it may have been brought elsewhere. */
  private Path directoryNow() {
    return Layout.moved(directory)
        .map(Layout.Moved::directory)
        .filter(Layout::exists)
        .orElse(directory);
  }

  private Report migrate(Encryption.Keys keys) {
    Optional<MigrationRecord> found = MigrationRecord.read(directory);
    if (found.isPresent() && isSwitched(found.get()) && !migration.dryRun()) {
      MigrationRecord switched = found.get();
      if (planned(switched.original(), switched.ledgerId(), switched.stamp()).isLike(switched)) {
        return finishedAlone(switched, keys);
      }
      if (!switched.isElsewhere()) {
        switched.removeAnnouncement(directory);
        MigrationRecord.remove(directory); // another migration, which was through but for that
        found = Optional.empty();
      }
    }
    Optional<Layout.Moved> moved = Layout.moved(directory);
    if (moved.isPresent() && places.isElsewhere() && isMovedAsAsked(moved.get())) {
      return nothingToDo(moved.get().directory(), keys);
    }
    return copyAndSwitch(Layout.read(directory), found, keys);
  }

  private boolean isSwitched(MigrationRecord record) {
    Optional<Layout.Moved> moved = Layout.moved(directory);
    return record.isElsewhere()
        ? moved.filter(away -> away.stamp().equals(record.stamp())).isPresent()
        : moved.isEmpty() && Layout.read(directory).equals(record.layout());
  }

  private boolean isMovedAsAsked(Layout.Moved moved) {
    Path wanted = migration.directory().orElseThrow().toAbsolutePath().normalize();
    return moved.directory().equals(wanted) && Layout.exists(wanted);
  }

  private Report nothingToDo(Path where, Encryption.Keys keys) {
    Settings there = reading(settings);
    there.directory = where;
    migration.engine().map(MigrationJob::choice).ifPresent(choice -> there.engine = choice);
    try (OwnerLock lock = OwnerLock.take(where);
        OpenLedger ledger = new LedgerOpener(there).openOwned(keys)) {
      return report(Outcome.NOTHING_TO_DO, ledger.status().ledgerId(), where);
    }
  }

  // ------------------------------------------------------------------------------------ the plan

  private MigrationRecord planned(Layout layout, Bytes ledgerId, String stamp) {
    Map<Database, Layout.Place> planned = new EnumMap<>(layout.databases());
    for (Database database : wanted()) {
      Layout.Place old = layout.place(database);
      String engine = migration.engine().map(Migration.Engine::name).orElse(old.engine());
      planned.put(database, new Layout.Place(engine, planned(database, old, engine, stamp)));
    }
    Path destination =
        places.isElsewhere()
            ? migration.directory().orElseThrow().toAbsolutePath().normalize()
            : MigrationRecord.HERE;
    return new MigrationRecord(
        Step.BEGUN, stamp, ledgerId, destination, new Layout(planned), layout);
  }

  private List<Database> wanted() {
    return migration.database().map(List::of).orElse(List.of(Database.values()));
  }

  private String planned(Database database, Layout.Place old, String engine, String stamp) {
    if (places.isElsewhere()) {
      return database.lowerCaseName();
    }
    if (migration.database().isPresent() && migration.directory().isPresent()) {
      return places.named(migration.directory().get());
    }
    return engine.equals(old.engine())
        ? old.directory()
        : Beside.place(directory, old.directory(), "migrated-" + stamp).toString();
  }

  private MigrationRecord planned(Layout layout, Bytes ledgerId) {
    return Beside.firstFree(
        clock,
        stamp -> planned(layout, ledgerId, stamp),
        record ->
            migration.directory().isPresent()
                ? List.of(record.backup(directory))
                : record.chosenNames(directory));
  }

  // ------------------------------------------------------------------------------------ the job

  private Report copyAndSwitch(
      Layout layout, Optional<MigrationRecord> found, Encryption.Keys keys) {
    settings.requireOwnEngines(layout, wanted());
    MigrationRecord record;
    try (OpenLedger old = new LedgerOpener(reading(settings)).openOwned(keys)) {
      Bytes id = old.parts().format().ledgerId();
      Optional<MigrationRecord> begun =
          found.filter(earlier -> planned(layout, id, earlier.stamp()).isLike(earlier));
      boolean goesOn = begun.filter(earlier -> earlier.owns(directory)).isPresent();
      record = goesOn ? begun.get() : begun.orElseGet(() -> planned(layout, id)).at(Step.BEGUN);
      if (record.moved().isEmpty()) {
        return report(Outcome.NOTHING_TO_DO, id.hex(), directory);
      }
      if (!goesOn) {
        places.requireFree(record);
      }
      CopyRoom room = new CopyRoom(settings, old, homes(record), false, false);
      if (migration.dryRun()) {
        return planned(record, room.neededBytes());
      }
      room.require();
      if (begun.isEmpty()) {
        found.ifPresent(another -> throwAway(another, layout));
      }
    }
    return copyAndSwitch(record, keys);
  }

  private Map<Database, Path> homes(MigrationRecord record) {
    Map<Database, Path> homes = new EnumMap<>(Database.class);
    record.moved().forEach(database -> homes.put(database, record.home(directory, database)));
    return homes;
  }

  private Report copyAndSwitch(MigrationRecord planned, Encryption.Keys keys) {
    try (OwnedDestination destination = OwnedDestination.of(planned, directory)) {
      planned.write(directory);
      FailPoint.pass("migrate.begun");
      planned.announce(directory);
      if (planned.isElsewhere() && Layout.moved(planned.destination(directory)).isPresent()) {
        Layout.remove(planned.destination(directory)); // it comes back
      }
      MigrationRecord record = planned;
      if (record.step() == Step.BEGUN) {
        requireNothingThere(record);
        record = record.at(Step.COPYING);
        record.write(directory);
        FailPoint.pass("migrate.created");
      }
      if (!isCopied(record, keys) || !isProven(record, keys)) {
        return report(Outcome.CANCELLED, record.ledgerId().hex(), directory);
      }
      record = record.at(Step.SWITCHING);
      record.write(directory);
      switchTo(record);
      return finished(record, keys);
    }
  }

  /** Rows that are there are another's: a server may keep them under a name used before. */
  private void requireNothingThere(MigrationRecord record) {
    Resources resources = new Resources();
    try {
      LedgerOpener opener = new LedgerOpener(target(record));
      for (Database database : record.moved()) {
        requireNothingThere(
            opener.openCopied(database, record.layout().place(database), resources),
            record,
            database);
      }
      resources.close();
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private void requireNothingThere(
      StorageEngine engine, MigrationRecord record, Database database) {
    try (StorageEngine.Cursor rows = engine.scan(KeyRange.all())) {
      if (rows.next()) {
        record.removeAnnouncement(directory);
        MigrationRecord.remove(directory);
        throw new ConflictException(
            ConflictException.Reason.EXISTS,
            "the engine of the %s database holds data already in %s; choose another place"
                .formatted(database.lowerCaseName(), record.home(directory, database)));
      }
    }
  }

  // ------------------------------------------------------------------------------------ the copy

  private boolean isCopied(MigrationRecord record, Encryption.Keys keys) {
    Resources resources = new Resources();
    try {
      Engines old =
          new LedgerOpener(reading(settings)).openEngines(record.original(), resources, keys);
      for (Database database : record.moved()) {
        Optional<Content> content = copied(record, database, old, resources);
        if (content.isEmpty()) {
          resources.close();
          return false;
        }
        contents.put(database, content.get());
      }
      resources.close();
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
    if (record.moved().contains(Database.BLOCK)) {
      BesideBlocks.copy(
          Beside.home(directory, record.original().place(Database.BLOCK)),
          record.home(directory, Database.BLOCK));
    }
    FailPoint.pass("migrate.filled");
    return true;
  }

  private Optional<Content> copied(
      MigrationRecord record, Database database, Engines old, Resources resources) {
    LedgerOpener opener = new LedgerOpener(target(record));
    StorageEngine stored = opener.openCopied(database, record.layout().place(database), resources);
    StorageEngine shown = opener.sealedAs(old, database, stored);
    FormatRecord format = old.format(database);
    Side from = new Side(old.shown(database), old.stored(database), format);
    Side to = new Side(shown, stored, formatOfCopy(record, format, shown));
    try {
      return new DatabaseCopy(from, to, digest(old), watch).run();
    } catch (IntegrityException e) {
      throw new IntegrityException(
          "the %s database of the ledger in %s is damaged and is not migrated, nothing was switched; run ledgerkeep verify: %s"
              .formatted(database.lowerCaseName(), directory, e.getMessage()),
          e);
    }
  }

  /** A copy of the whole ledger is one that this release has made. */
  private static FormatRecord formatOfCopy(
      MigrationRecord record, FormatRecord format, StorageEngine shown) {
    int pieceBytes = Math.min(format.pieceBytes(), RowWriter.pieceBytesFor(shown));
    FormatRecord copy = format.of(format.database(), pieceBytes);
    return record.moved().size() == Database.values().length
        ? copy.withCompatibility(LedgerOpener.COMPATIBILITY_VERSION)
        : copy;
  }

  private static Digests digest(Engines engines) {
    return engines.format(Database.BLOCK).digest();
  }

  // ------------------------------------------------------------------------------------ the proof

  /** Opens the copy with keys of its own, and compares; false if it was cancelled. */
  private boolean isProven(MigrationRecord record, Encryption.Keys keys) {
    boolean complete;
    try {
      complete = isEqual(record, keys);
    } catch (IntegrityException e) {
      throwAway(record.at(Step.COPYING), record.original());
      throw new IntegrityException(
          "the copy of the ledger in %s is not equal to it and was thrown away; nothing was switched. Run this again; if that does not help, look after the disk: %s"
              .formatted(directory, e.getMessage()),
          e);
    }
    FailPoint.pass("migrate.verified");
    return complete;
  }

  private boolean isEqual(MigrationRecord record, Encryption.Keys keys) {
    Resources resources = new Resources();
    try {
      Engines copy = new LedgerOpener(target(record)).openEngines(record.layout(), resources, keys);
      boolean complete = true;
      for (Database database : record.moved()) {
        complete = complete && isEqual(copy, database);
      }
      resources.close();
      return complete;
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private boolean isEqual(Engines copy, Database database) {
    watch.begin("compare " + database.lowerCaseName(), 0);
    Optional<Content> found =
        ContentDigest.of(
            copy.shown(database), copy.format(database).pieceBytes(), digest(copy), watch);
    if (found.isEmpty()) {
      return false;
    }
    Content original = Objects.requireNonNull(contents.get(database));
    if (!found.get().digest().equals(original.digest())) {
      throw new IntegrityException(
          "the %s database has content digest %s over %s rows, its copy %s over %s"
              .formatted(
                  database.lowerCaseName(),
                  original.digest().hex(),
                  original.rows(),
                  found.get().digest().hex(),
                  found.get().rows()));
    }
    return true;
  }

  // ------------------------------------------------------------------------------------ the switch

  private void switchTo(MigrationRecord record) {
    Beside.sync(record.homes(directory));
    Beside.keep(record.original(), directory, record.backup(directory), Layout.BEFORE);
    FailPoint.pass("migrate.durable");
    if (record.isElsewhere()) {
      record.movedAway(directory).write(directory);
    } else {
      record.layout().write(directory);
    }
    FailPoint.pass("migrate.switched");
  }

  private Report finishedAlone(MigrationRecord record, Encryption.Keys keys) {
    try (OwnedDestination destination = OwnedDestination.of(record, directory)) {
      return finished(record, keys);
    }
  }

  /** What the switch leaves to do, as often as it takes. */
  private Report finished(MigrationRecord record, Encryption.Keys keys) {
    Path where = record.destination(directory);
    if (record.isElsewhere()) {
      if (!Layout.exists(where)) { // else the ledger may have gone on there
        record.layout().write(where);
        FailPoint.pass("migrate.arrived");
      }
    }
    record.removeAnnouncement(directory);
    String id;
    try (OpenLedger ledger = new LedgerOpener(reading(target(record))).openOwned(keys)) {
      id = ledger.status().ledgerId();
    }
    FailPoint.pass("migrate.opened");
    if (migration.removeSource()) {
      removeSource(record);
      FailPoint.pass("migrate.removed");
    }
    MigrationRecord.remove(directory);
    FailPoint.pass("migrate.done");
    return done(id, record);
  }

  private void removeSource(MigrationRecord record) {
    for (Database database : record.moved()) {
      Beside.deleteOwn(Beside.home(directory, record.original().place(database)));
    }
    Directories.delete(record.backup(directory));
  }

  // ------------------------------------------------------------------------------------ settings

  /** Returns settings to open a ledger with, wherever its bodies are; it keeps nothing of them. */
  private static Settings reading(Settings of) {
    Settings reading = of.copy();
    reading.unarchivedBlocks = null;
    return reading;
  }

  /** Returns settings to open the ledger with when its databases are elsewhere. */
  private Settings target(MigrationRecord record) {
    Settings target = reading(settings);
    target.directory = record.destination(directory);
    for (Database database : record.moved()) {
      Layout.Place place = record.layout().place(database);
      target.engines.put(
          database,
          migration
              .engine()
              .map(MigrationJob::choice)
              .or(() -> settings.choice(database))
              .orElseGet(() -> new Settings.NamedEngine(place.engine(), Options.none())));
    }
    return target;
  }

  private static Settings.EngineChoice choice(Migration.Engine engine) {
    return engine.provider().isPresent()
        ? new Settings.ProvidedEngine(engine.provider().get(), engine.options())
        : new Settings.NamedEngine(engine.name(), engine.options());
  }

  // ------------------------------------------------------------------------------------ throw away

  /**
   * Removes what there is of a copy that was not switched to. One that was proven may have been,
   * and what does not say that it is this copy's is somebody else's: both are left where they are.
   */
  private void throwAway(MigrationRecord record, Layout live) {
    if (record.step() == Step.SWITCHING || !record.owns(directory)) {
      LOG.warn("an earlier migration is not gone on with; look after {}", record.homes(directory));
    } else {
      deleteHomes(record, live);
      FailPoint.pass("migrate.removing");
      record.removeAnnouncement(directory);
      deleteHomes(record, live); // empty by now
    }
    MigrationRecord.remove(directory);
  }

  private void deleteHomes(MigrationRecord record, Layout live) {
    for (Database database : record.moved()) {
      if (record.isElsewhere()
          || !live.databases().containsValue(record.layout().place(database))) {
        Beside.deleteOwn(record.home(directory, database));
      }
    }
  }

  // ------------------------------------------------------------------------------------ report

  private Report planned(MigrationRecord record, long bytesNeeded) {
    return new Report(
        Outcome.PLANNED,
        record.ledgerId().hex(),
        record.destination(directory),
        homes(record),
        0,
        0,
        bytesNeeded,
        Map.of(),
        Optional.empty(),
        List.of(),
        elapsed());
  }

  private Report report(Outcome outcome, String ledgerId, Path where) {
    return new Report(
        outcome,
        ledgerId,
        where,
        Map.of(),
        sumOf(Content::rows),
        sumOf(Content::bytes),
        0,
        Map.of(),
        Optional.empty(),
        List.of(),
        elapsed());
  }

  private Report done(String ledgerId, MigrationRecord record) {
    Map<Database, Bytes> digests = new EnumMap<>(Database.class);
    contents.forEach((database, content) -> digests.put(database, content.digest()));
    return new Report(
        Outcome.DONE,
        ledgerId,
        record.destination(directory),
        homes(record),
        sumOf(Content::rows),
        sumOf(Content::bytes),
        0,
        digests,
        Optional.of(record.backup(directory)).filter(Files::exists),
        record.originals(directory),
        elapsed());
  }

  private long sumOf(ToLongFunction<Content> part) {
    return contents.values().stream().mapToLong(part).sum();
  }

  private Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - begin);
  }
}
