package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.ledger.Settings.EngineChoice;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Opens a ledger, or makes one. Making is done when {@code LAYOUT} is there; until then the file
 * {@code CREATING} says that whatever lies beside it may be thrown away.
 */
final class LedgerOpener {

  private static final String COMPATIBILITY_VERSION = "0.1";
  private static final String DEFAULT_CHAIN = "chain1";
  private static final Set<String> OF_NO_ACCOUNT = Set.of("LOCK", "CREATING", "status.json");

  private final Settings settings;
  private final Path directory;

  LedgerOpener(Settings settings) {
    this.settings = settings;
    this.directory = settings.requiredDirectory();
  }

  Ledger open(boolean mayCreate) {
    if (!mayCreate && !Layout.exists(directory)) {
      throw new ConfigurationException(
          "there is no ledger in " + directory + "; create one first (ledgerkeep init)");
    }
    makeDirectory();
    OwnerLock lock = OwnerLock.take(directory);
    Resources resources = new Resources();
    resources.add(lock);
    try {
      if (!Layout.exists(directory)) {
        create();
      }
      return openExisting(resources);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private void makeDirectory() {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make the directory " + directory, e);
    }
  }

  // ------------------------------------------------------------------------------------ create

  private void create() {
    Digests digest = Digests.named(settings.digest == null ? "sha256" : settings.digest);
    String chainId = settings.chainId == null ? DEFAULT_CHAIN : settings.chainId;
    Bytes ledgerId = randomId();
    Layout layout = chosenLayout();
    discardUnfinished();
    SmallFile.replaceDurably(directory.resolve("CREATING"), new byte[0]);
    for (Database database : Database.values()) {
      EngineChoice choice = requiredChoice(database);
      StorageEngine engine = openEngine(choice, layout.place(database));
      try {
        requireEmpty(engine, database);
        int pieceBytes = RowWriter.pieceBytesFor(engine);
        new FormatRecord(database, ledgerId, chainId, digest, COMPATIBILITY_VERSION, pieceBytes)
            .write(engine);
      } finally {
        if (choice.isOurs()) {
          engine.close();
        }
      }
    }
    layout.write(directory);
    removeMarker();
  }

  private Layout chosenLayout() {
    Map<Database, Layout.Place> places = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      places.put(
          database, new Layout.Place(requiredChoice(database).name(), database.lowerCaseName()));
    }
    return new Layout(places);
  }

  private EngineChoice requiredChoice(Database database) {
    return settings
        .choice(database)
        .orElseThrow(
            () ->
                new ConfigurationException(
                    "no storage engine was chosen for the "
                        + database.lowerCaseName()
                        + " database"));
  }

  /** Throws away what an interrupted creation left; anything else is not ours to touch. */
  private void discardUnfinished() {
    try (Stream<Path> found = Files.list(directory)) {
      List<Path> entries =
          found.filter(path -> !OF_NO_ACCOUNT.contains(path.getFileName().toString())).toList();
      if (entries.isEmpty()) {
        return;
      }
      if (!Files.exists(directory.resolve("CREATING"))) {
        throw new ConfigurationException(
            directory
                + " holds files but no LAYOUT, so it is no ledger; choose an empty directory"
                + " (found: "
                + entries.stream()
                    .map(path -> path.getFileName().toString())
                    .sorted()
                    .limit(5)
                    .collect(Collectors.joining(", "))
                + ")");
      }
      for (Path entry : entries) {
        com.google.common.io.MoreFiles.deleteRecursively(
            entry, com.google.common.io.RecursiveDeleteOption.ALLOW_INSECURE);
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot prepare " + directory, e);
    }
  }

  private static void requireEmpty(StorageEngine engine, Database database) {
    try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
      if (cursor.next() && FormatRecord.read(engine).isEmpty()) {
        throw new ConflictException(
            Reason.OTHER_CHAIN,
            "the engine of the "
                + database.lowerCaseName()
                + " database holds data that is no ledger's");
      }
    }
  }

  private void removeMarker() {
    try {
      Files.deleteIfExists(directory.resolve("CREATING"));
    } catch (IOException e) {
      throw SmallFile.failed("cannot finish the creation of " + directory, e);
    }
  }

  private static Bytes randomId() {
    byte[] id = new byte[16];
    new SecureRandom().nextBytes(id);
    return Bytes.wrap(id);
  }

  // ------------------------------------------------------------------------------------ open

  private Ledger openExisting(Resources resources) {
    removeMarker();
    Layout layout = Layout.read(directory);
    Map<Database, StorageEngine> engines = new EnumMap<>(Database.class);
    Map<Database, FormatRecord> formats = new EnumMap<>(Database.class);
    Map<Database, Reserve> reserves = new EnumMap<>(Database.class);
    Map<Database, String> names = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      Layout.Place place = layout.place(database);
      EngineChoice choice = matchingChoice(database, place);
      reserves.put(database, reserve(place));
      StorageEngine engine = openEngine(choice, place);
      if (choice.isOurs()) {
        resources.add(engine);
      }
      engines.put(database, engine);
      formats.put(database, format(engine, database));
      names.put(database, place.engine());
    }
    FormatRecord format = requireOneLedger(formats);
    return OpenLedger.open(
        new OpenLedger.Parts(
            directory, settings, resources, format, formats, engines, names, reserves));
  }

  private EngineChoice matchingChoice(Database database, Layout.Place place) {
    EngineChoice choice =
        settings
            .choice(database)
            .orElseGet(
                () -> new Settings.NamedEngine(place.engine(), io.ledgerkeep.Options.none()));
    if (!choice.name().equals(place.engine())) {
      throw new ConfigurationException(
          "the %s database of this ledger is on engine '%s', not '%s'; the engine is fixed at creation"
              .formatted(database.lowerCaseName(), place.engine(), choice.name()));
    }
    return choice;
  }

  private Reserve reserve(Layout.Place place) {
    return new Reserve(directory.resolve(place.directory()), settings.reserveBytes);
  }

  /** Opening needs room too: on a full disk the reserve gives it. */
  private StorageEngine openEngine(EngineChoice choice, Layout.Place place) {
    Path home = directory.resolve(place.directory());
    try {
      Files.createDirectories(home);
      Path data = home.resolve("db");
      try {
        return choice.open(data, settings.classLoader);
      } catch (StorageException e) {
        if (e.isOutOfSpace() && reserve(place).release()) {
          return choice.open(data, settings.classLoader);
        }
        throw e;
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot make the directory " + home, e);
    }
  }

  private FormatRecord format(StorageEngine engine, Database database) {
    FormatRecord format =
        FormatRecord.read(engine)
            .orElseThrow(
                () ->
                    new IntegrityException(
                        "the %s database in %s has no format record: it is not the one LAYOUT means;"
                                .formatted(database.lowerCaseName(), directory)
                            + " run ledgerkeep doctor"));
    if (format.database() != database) {
      throw new IntegrityException(
          "the %s database in %s is a %s database; run ledgerkeep doctor"
              .formatted(database.lowerCaseName(), directory, format.database().lowerCaseName()));
    }
    return format;
  }

  private FormatRecord requireOneLedger(Map<Database, FormatRecord> formats) {
    FormatRecord block = java.util.Objects.requireNonNull(formats.get(Database.BLOCK));
    formats.forEach(
        (database, format) -> {
          if (!format.ledgerId().equals(block.ledgerId())) {
            throw new ConflictException(
                Reason.OTHER_CHAIN,
                "the %s database in %s belongs to ledger %s, the block database to %s"
                    .formatted(
                        database.lowerCaseName(),
                        directory,
                        format.ledgerId().hex(),
                        block.ledgerId().hex()));
          }
        });
    if (settings.chainId != null && !settings.chainId.equals(block.chainId())) {
      throw new ConflictException(
          Reason.OTHER_CHAIN,
          "%s holds chain '%s', not '%s'".formatted(directory, block.chainId(), settings.chainId));
    }
    if (settings.digest != null && !settings.digest.equals(block.digest().id())) {
      throw new ConfigurationException(
          "the digest of this ledger is '%s', not '%s'; it is fixed at creation"
              .formatted(block.digest().id(), settings.digest));
    }
    return block;
  }
}
