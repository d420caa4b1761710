package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.backup.BackupHead;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/** The engines that the rows of a backup are put on. */
final class RestoreEngines {

  private final Settings settings;
  private final FreshPlace place;

  RestoreEngines(Settings settings, FreshPlace place) {
    this.settings = settings;
    this.place = place;
  }

  /** Returns the engines that are chosen; where none is, the one that was backed up. */
  static Layout layout(Settings settings, BackupHead head) {
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

  /** Opens the engines with values as they lie there. */
  Map<Database, StorageEngine> open(Resources resources) {
    Map<Database, StorageEngine> engines = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      StorageEngine engine = open(database);
      resources.add(engine);
      engines.put(database, engine);
    }
    return engines;
  }

  private StorageEngine open(Database database) {
    Settings.EngineChoice choice =
        settings
            .choice(database)
            .orElseGet(
                () ->
                    new Settings.NamedEngine(
                        place.layout().place(database).engine(), Options.none()));
    return choice.open(place.home(database).resolve("db"), settings.classLoader);
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

  long neededBytes(long rawBytes) {
    return (long) (CopyRoom.PLAIN_FACTOR * rawBytes)
        + Database.values().length * settings.reserveBytes;
  }

  void requireRoom(long rawBytes) {
    Path directory = settings.requiredDirectory();
    long there = CopyRoom.sizeOf(directory);
    CopyRoom.require(Map.of(directory, Math.max(0, neededBytes(rawBytes) - there)), settings);
  }
}
