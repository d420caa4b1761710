package io.ledgerkeep.core.ledger;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Backup.Restoring;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.backup.BackupHead;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The directory that a ledger is restored into: empty before, a ledger after, or empty again. */
final class RestorePlace {

  /** What may lie there and is nobody's; a directory only if it is empty. */
  private static final Set<String> OF_NO_ACCOUNT =
      Set.of("LOCK", "lost+found", RestoreRecord.NAME + ".new", "block", "state", "history");

  private final Settings settings;
  private final Restoring restoring;
  private final BackupHead head;
  private final Path directory;
  private final Layout layout;

  RestorePlace(Settings settings, Restoring restoring, BackupHead head) {
    this.settings = settings;
    this.restoring = restoring;
    this.head = head;
    this.directory = settings.requiredDirectory();
    this.layout = chosenLayout();
  }

  private Layout chosenLayout() {
    Map<Database, Layout.Place> places = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      String engine =
          settings
              .choice(database)
              .map(Settings.EngineChoice::name)
              .orElse(head.ledger().engine(database));
      places.put(database, new Layout.Place(engine, database.lowerCaseName()));
    }
    return new Layout(places);
  }

  Layout layout() {
    return layout;
  }

  /** Returns the directory of a database, which is made if it is not there. */
  Path home(Database database) {
    Path home = directory.resolve(layout.place(database).directory());
    try {
      return Files.createDirectories(home);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make " + home, e);
    }
  }

  // ------------------------------------------------------------------------------------ before

  /** Refuses what can never be a place for the ledger. */
  void requireFits() {
    for (Database database : Database.values()) {
      if (layout.place(database).engine().equals(Settings.BuiltEngine.NAME)
          || settings.choice(database).filter(choice -> !choice.isOurs()).isPresent()) {
        throw new ConfigurationException(
            "an engine that is handed in cannot be restored to; name the engine of the %s database"
                .formatted(database.lowerCaseName()));
      }
    }
    requireApart(directory, restoring.directory());
  }

  /** A backup within its ledger is lost with it, and a ledger is no part of a backup. */
  static void requireApart(Path ledger, Path backups) {
    Path one = real(ledger);
    Path other = real(backups);
    if (one.startsWith(other) || other.startsWith(one)) {
      throw new ConfigurationException(
          "the backups in %s and the ledger in %s lie within each other; keep them apart, best on different disks"
              .formatted(backups, ledger));
    }
  }

  private static Path real(Path path) {
    Path at = path.toAbsolutePath().normalize();
    Path there = at;
    while (there.getParent() != null && !Files.exists(there)) {
      there = there.getParent();
    }
    try {
      return there.toRealPath().resolve(there.relativize(at));
    } catch (IOException e) {
      throw SmallFile.failed("cannot look at " + path, e);
    }
  }

  /** Makes the directory; returns whether it was not there. */
  boolean make() {
    boolean isNew = !Files.exists(directory);
    try {
      Files.createDirectories(directory);
      return isNew;
    } catch (IOException e) {
      throw SmallFile.failed("cannot make the directory " + directory, e);
    }
  }

  /** Returns what an earlier call has begun. */
  Optional<RestoreRecord> begun() {
    return RestoreRecord.read(directory);
  }

  void requireEmpty() {
    try (Stream<Path> entries = Files.list(directory)) {
      List<Path> strange = entries.filter(entry -> !isOfNoAccount(entry)).sorted().toList();
      if (!strange.isEmpty()) {
        throw new ConfigurationException(
            "%s is not empty (found: %s); restore into an empty directory"
                .formatted(directory, strange.get(0).getFileName()));
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + directory, e);
    }
  }

  private static boolean isOfNoAccount(Path entry) {
    if (!OF_NO_ACCOUNT.contains(entry.getFileName().toString())) {
      return false;
    }
    if (!Files.isDirectory(entry) || entry.endsWith("lost+found")) {
      return true;
    }
    try (Stream<Path> within = Files.list(entry)) {
      return within.allMatch(inner -> inner.endsWith("lost+found"));
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + entry, e);
    }
  }

  long neededBytes(long rawBytes) {
    return (long) (CopyRoom.PLAIN_FACTOR * rawBytes)
        + Database.values().length * settings.reserveBytes;
  }

  void requireRoom(long rawBytes) {
    long there = CopyRoom.sizeOf(directory);
    CopyRoom.require(Map.of(directory, Math.max(0, neededBytes(rawBytes) - there)), settings);
  }

  // ------------------------------------------------------------------------------------ engines

  /** Opens the engines with values as they lie there. */
  Map<Database, StorageEngine> openEngines(Resources resources) {
    Map<Database, StorageEngine> engines = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      StorageEngine engine = openEngine(database);
      resources.add(engine);
      engines.put(database, engine);
    }
    return engines;
  }

  private StorageEngine openEngine(Database database) {
    Settings.EngineChoice choice =
        settings
            .choice(database)
            .orElseGet(
                () -> new Settings.NamedEngine(layout.place(database).engine(), Options.none()));
    return choice.open(home(database).resolve("db"), settings.classLoader);
  }

  /** Refuses engines that hold anything: they may be a server's, and belong to another ledger. */
  static void requireFree(Map<Database, StorageEngine> engines) {
    engines.forEach(
        (database, engine) -> {
          try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
            if (cursor.next()) {
              throw new ConflictException(
                  Reason.OTHER_CHAIN,
                  "the engine of the %s database already holds data; choose an empty one"
                      .formatted(database.lowerCaseName()));
            }
          }
        });
  }

  /** Returns settings to open databases in the directory with. */
  Settings opening() {
    Settings opening = settings.copy();
    opening.unarchivedBlocks = null;
    opening.layout = null;
    return opening;
  }

  /** Returns settings that open the ledger although it is none yet. */
  Settings workshop() {
    Path workshop = RestoreRecord.workshop(directory);
    try {
      Files.createDirectories(workshop);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make " + workshop, e);
    }
    layout.fromBelow().write(workshop);
    Settings settingsThere = opening();
    settingsThere.directory = workshop;
    return settingsThere;
  }

  // ------------------------------------------------------------------------------------ after

  /** The commit point: from here on there is a ledger in the directory. */
  void switchTo(RestoreRecord record) {
    try {
      for (Path home : record.homes(directory)) {
        SmallFile.syncDirectory(home);
      }
      SmallFile.syncDirectory(directory);
      SmallFile.syncDirectory(directory.toAbsolutePath().resolveSibling(""));
    } catch (IOException e) {
      throw SmallFile.failed("cannot make durable what was restored to " + directory, e);
    }
    FailPoint.pass("restored.durable");
    record.layout().write(directory);
    FailPoint.pass("restored.switched");
  }

  /** What the switch leaves to do, as often as it takes. */
  void tidyUp() {
    Directories.delete(RestoreRecord.workshop(directory));
    FailPoint.pass("restored.tidied");
    RestoreRecord.remove(directory);
    FailPoint.pass("restored.done");
  }

  /** Removes everything that was restored; directories in which a disk is mounted stay. */
  void removeAll(RestoreRecord record) {
    Directories.delete(RestoreRecord.workshop(directory));
    for (Path home : record.homes(directory)) {
      if (Files.isDirectory(home) && Beside.isDoorToADisk(home)) {
        deleteContents(home);
      } else {
        Directories.delete(home);
      }
    }
    RestoreRecord.remove(directory);
  }

  /** Removes a directory that was made for a rehearsal. */
  void removeIfEmpty() {
    try {
      Files.deleteIfExists(directory.resolve("LOCK"));
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      // It is not empty, or somebody took it: then it is not ours any more.
    }
  }

  private static void deleteContents(Path root) {
    try {
      MoreFiles.deleteDirectoryContents(root, RecursiveDeleteOption.ALLOW_INSECURE);
    } catch (IOException e) {
      throw SmallFile.failed("cannot empty " + root, e);
    }
  }
}
