package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.ledger.Settings.EngineChoice;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Opens a ledger, or makes one. Making is done when {@code LAYOUT} is there; until then the file
 * {@code CREATING} says that whatever lies beside it may be thrown away.
 */
final class LedgerOpener {

  /** The release whose ways a ledger has that this one makes. */
  static final String COMPATIBILITY_VERSION = "0.1";

  private static final String DEFAULT_CHAIN = "chain1";
  private static final String MARKER = "CREATING";

  /** What may lie in a directory that holds no ledger yet, also after a kill at any instant. */
  private static final Set<String> OF_NO_ACCOUNT =
      Set.of("LOCK", MARKER, MARKER + ".new", "status.json", "status.json.new");

  private final Settings settings;
  private final Path directory;

  LedgerOpener(Settings settings) {
    this.settings = settings;
    this.directory = settings.requiredDirectory();
  }

  Ledger open(boolean mayCreate) {
    if (Files.isRegularFile(directory)) {
      throw new ConfigurationException(directory + " is a file, not a directory; choose another");
    }
    requireNoneUnderWay(directory);
    if (!mayCreate && !Layout.exists(directory)) {
      throw new ConfigurationException(
          "there is no ledger in " + directory + "; create one first (ledgerkeep init)");
    }
    makeDirectory();
    if (!Layout.exists(directory)) {
      unfinishedOrNothing(); // refuses what is no ledger before anything is written there
    }
    OwnerLock lock = OwnerLock.take(directory);
    Resources resources = new Resources();
    resources.add(lock);
    try (Encryption.Keys keys = settings.encryption.open(settings.classLoader)) {
      Ledger ledger = openOrCreate(resources, keys);
      keys.confirm();
      return ledger;
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  /** A job that has not come to its end makes a ledger of such a directory, and nobody else. */
  static void requireNoneUnderWay(Path directory) {
    if (!Layout.exists(directory) && RestoreRecord.exists(directory)) {
      throw new ConfigurationException(
          "the restore of a backup into %s has not come to its end; make the same call again (ledgerkeep restore-backup), or empty the directory"
              .formatted(directory));
    }
    if (!Layout.exists(directory) && SyncRecord.exists(directory)) {
      throw new ConfigurationException(
          "the sync of a new node into %s has not come to its end; make the same call again (ledgerkeep sync), or empty the directory"
              .formatted(directory));
    }
    if (!Layout.exists(directory) && MigrationRecord.isArriving(directory)) {
      throw new ConfigurationException(
          "a ledger is on its way to %s and has not arrived: run the same ledgerkeep migrate again on the directory it comes from, which is named in ARRIVING"
              .formatted(directory));
    }
  }

  /**
   * Opens the ledger of the directory, or makes it, for a job that owns the directory already and
   * opens more than one ledger under the same keys: it locks nothing and confirms nothing.
   */
  OpenLedger openOwned(Encryption.Keys keys) {
    makeDirectory();
    Resources resources = new Resources();
    try {
      return openOrCreate(resources, keys);
    } catch (RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  private OpenLedger openOrCreate(Resources resources, Encryption.Keys keys) {
    if (!Layout.exists(directory)) {
      create(keys);
    }
    return openExisting(resources, keys);
  }

  private void makeDirectory() {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make the directory " + directory, e);
    }
  }

  // ------------------------------------------------------------------------------------ create

  private void create(Encryption.Keys keys) {
    Digests digest = Digests.named(settings.digest == null ? "sha256" : settings.digest);
    String chainId = settings.chainId == null ? DEFAULT_CHAIN : settings.chainId;
    Bytes ledgerId = settings.ledgerId == null ? randomId() : settings.ledgerId;
    Layout layout = settings.layout == null ? chosenLayout() : settings.layout;
    boolean interrupted = Files.exists(marker());
    discardUnfinished();
    SmallFile.replaceDurably(marker(), new byte[0]);
    Path home = makeHome(layout.place(Database.BLOCK));
    keys.create(home, ledgerId, chainId, settings.archiveKeys);
    Optional<Encryption.Sealed> sealed = keys.open(home).stream().findFirst();
    try {
      createDatabases(layout, sealed, ledgerId, chainId, digest, interrupted);
    } finally {
      sealed.filter(Encryption.Sealed::isOurs).ifPresent(ours -> ours.encryptor().close());
    }
    layout.write(directory);
    removeMarker();
  }

  private void createDatabases(
      Layout layout,
      Optional<Encryption.Sealed> sealed,
      Bytes ledgerId,
      String chainId,
      Digests digest,
      boolean interrupted) {
    for (Database database : Database.values()) {
      EngineChoice choice = requiredChoice(database);
      StorageEngine engine = openEngine(choice, layout.place(database), ReservedRoom.NONE);
      try {
        requireFree(engine, database, ledgerId, interrupted);
        StorageEngine target = sealing(engine, database, sealed);
        int pieceBytes = RowWriter.pieceBytesFor(target);
        new FormatRecord(database, ledgerId, chainId, digest, COMPATIBILITY_VERSION, pieceBytes)
            .write(target);
      } finally {
        if (choice.isOurs()) {
          engine.close();
        }
      }
      syncHome(layout.place(database));
    }
  }

  /** An engine syncs what it holds, not the name of its own directory. */
  private void syncHome(Layout.Place place) {
    Path home = home(place);
    try {
      SmallFile.syncDirectory(home);
    } catch (IOException e) {
      throw SmallFile.failed("cannot sync the directory " + home, e);
    }
  }

  /** Returns the engine with its values sealed, where the ledger is encrypted. */
  private StorageEngine sealing(
      StorageEngine engine, Database database, Optional<Encryption.Sealed> sealed) {
    return sealed.<StorageEngine>map(by -> sealing(engine, database, by)).orElse(engine);
  }

  private SealedEngine sealing(StorageEngine engine, Database database, Encryption.Sealed by) {
    return new SealedEngine(
        engine,
        by.encryptor(),
        by.ledgerId(),
        database,
        database == Database.BLOCK ? ChainKeys::heightOf : key -> OptionalLong.empty(),
        settings.executor);
  }

  /** Returns the databases of a new ledger, in its directory. */
  Layout chosenLayout() {
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

  /** Throws away what an interrupted creation left. */
  private void discardUnfinished() {
    unfinishedOrNothing().forEach(Directories::delete);
  }

  /** Returns what an interrupted creation left; anything else is not ours to touch. */
  private List<Path> unfinishedOrNothing() {
    requireNoneUnderWay(directory);
    try (Stream<Path> found = Files.list(directory)) {
      List<Path> entries =
          found.filter(path -> !OF_NO_ACCOUNT.contains(path.getFileName().toString())).toList();
      if (!entries.isEmpty() && !Files.exists(marker())) {
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
      return entries;
    } catch (IOException e) {
      throw SmallFile.failed("cannot look into " + directory, e);
    }
  }

  /**
   * Refuses an engine that holds anything: it may be handed in, or be a server's, and belong to
   * another ledger. An interrupted creation may have left a format record on it, and nothing else.
   */
  private static void requireFree(
      StorageEngine engine, Database database, Bytes ledgerId, boolean interrupted) {
    Optional<FormatRecord> format = FormatRecord.inPlain(engine);
    if (format.isPresent() && format.get().ledgerId().equals(ledgerId)) {
      throw new ConfigurationException(
          "the %s and the %s database are on the same engine; each needs its own"
              .formatted(format.get().database().lowerCaseName(), database.lowerCaseName()));
    }
    if ((FormatRecord.exists(engine) && !interrupted) || !FormatRecord.hasNothingBeside(engine)) {
      throw new ConflictException(
          Reason.OTHER_CHAIN,
          "the engine of the %s database already holds %s; choose an empty one"
              .formatted(
                  database.lowerCaseName(),
                  format
                      .map(found -> "a database of chain '" + found.chainId() + "'")
                      .orElse("data that is no ledger's")));
    }
  }

  private Path marker() {
    return directory.resolve(MARKER);
  }

  private void removeMarker() {
    try {
      Files.deleteIfExists(marker());
    } catch (IOException e) {
      throw SmallFile.failed("cannot finish the creation of " + directory, e);
    }
  }

  static Bytes randomId() {
    byte[] id = new byte[16];
    new SecureRandom().nextBytes(id);
    return Bytes.wrap(id);
  }

  // ------------------------------------------------------------------------------------ open

  /**
   * The databases of a ledger, opened and found to be those of one ledger.
   *
   * @param blockHome where the block database lies, and all that belongs to it
   * @param shown the engines with values as they were written
   */
  record Engines(
      Layout layout,
      Path blockHome,
      Map<Database, StorageEngine> shown,
      Map<Database, FormatRecord> formats,
      Map<Database, SealedEngine> onSealed,
      Optional<Encryption.Sealed> by,
      ReservedRoom room) {

    FormatRecord format(Database database) {
      return Objects.requireNonNull(formats.get(database));
    }

    StorageEngine shown(Database database) {
      return Objects.requireNonNull(shown.get(database));
    }

    /** Returns the engine with values as they lie there. */
    StorageEngine stored(Database database) {
      SealedEngine sealing = onSealed.get(database);
      return sealing == null ? shown(database) : sealing.below();
    }

    Map<Database, String> names() {
      Map<Database, String> names = new EnumMap<>(Database.class);
      layout.databases().forEach((database, place) -> names.put(database, place.engine()));
      return names;
    }
  }

  private OpenLedger openExisting(Resources resources, Encryption.Keys keys) {
    removeMarker();
    Engines engines = openEngines(Layout.read(directory), resources, keys);
    Optional<EpochEncryptor> epochs = engines.by().flatMap(Encryption.Sealed::epochs);
    OpenLedger ledger =
        OpenLedger.open(
            new OpenLedger.Parts(
                directory,
                engines.blockHome(),
                settings,
                resources,
                engines.format(Database.BLOCK),
                engines.formats(),
                engines.shown(),
                engines.names(),
                engines.room(),
                engines.by().map(Encryption.Sealed::archiveKeys).orElse(ArchiveKeys.NONE),
                () -> engines.by().map(Encryption.Sealed::suite).orElse(""),
                epochs,
                engines.onSealed()));
    epochs.ifPresent(EpochEncryptor::repairRegistry);
    return ledger;
  }

  /** Opens the databases at some places; nothing is written to them. */
  Engines openEngines(Layout layout, Resources resources, Encryption.Keys keys) {
    Path blockHome = home(layout.place(Database.BLOCK));
    List<Encryption.Sealed> candidates = candidates(resources, keys, blockHome);
    Map<Database, StorageEngine> engines = new EnumMap<>(Database.class);
    Map<Database, FormatRecord> formats = new EnumMap<>(Database.class);
    ReservedRoom room = room(layout);
    resources.add(room::takeBack); // when the engines are closed and use no room any more
    for (Database database : Database.values()) {
      Layout.Place place = layout.place(database);
      EngineChoice choice = matchingChoice(database, place);
      StorageEngine engine = openEngine(choice, place, room);
      if (choice.isOurs()) {
        resources.add(engine);
      }
      engines.put(database, engine);
    }
    Optional<Encryption.Sealed> sealed =
        proven(candidates, Objects.requireNonNull(engines.get(Database.BLOCK)));
    Map<Database, SealedEngine> onSealed = new EnumMap<>(Database.class);
    sealed.ifPresent(
        by ->
            engines.forEach(
                (database, engine) -> onSealed.put(database, sealing(engine, database, by))));
    engines.putAll(onSealed);
    engines.forEach(
        (database, engine) ->
            formats.put(database, format(engine, database, layout.place(database))));
    onSealed.values().forEach(SealedEngine::requireGeneration);
    requireOneLedger(formats);
    return new Engines(layout, blockHome, engines, formats, onSealed, sealed, room);
  }

  private static List<Encryption.Sealed> candidates(
      Resources resources, Encryption.Keys keys, Path blockHome) {
    List<Encryption.Sealed> candidates = keys.open(blockHome);
    candidates.stream()
        .filter(Encryption.Sealed::isOurs)
        .forEach(ours -> resources.add(ours.encryptor()));
    return candidates;
  }

  /** Returns the first that opens the block database and is not older than it. */
  private Optional<Encryption.Sealed> proven(
      List<Encryption.Sealed> candidates, StorageEngine block) {
    if (candidates.size() < 2) {
      return candidates.stream().findFirst();
    }
    List<IntegrityException> failures = new ArrayList<>();
    for (Encryption.Sealed candidate : candidates) {
      try {
        SealedEngine engine = sealing(block, Database.BLOCK, candidate);
        FormatRecord.read(engine);
        engine.requireGeneration();
        return Optional.of(candidate);
      } catch (IntegrityException e) {
        failures.add(e);
      }
    }
    throw failures.get(0);
  }

  private EngineChoice matchingChoice(Database database, Layout.Place place) {
    EngineChoice choice =
        settings
            .choice(database)
            .orElseGet(() -> new Settings.NamedEngine(place.engine(), Options.none()));
    if (place.engine().equals(Settings.BuiltEngine.NAME) && choice.isOurs()) {
      throw new ConfigurationException(
          "the engine of the %s database of this ledger was handed in at creation; hand it in again"
              .formatted(database.lowerCaseName()));
    }
    if (!choice.name().equals(place.engine())) {
      throw new ConfigurationException(
          "the %s database of this ledger is on engine '%s', not '%s'; the engine is fixed at creation"
              .formatted(database.lowerCaseName(), place.engine(), choice.name()));
    }
    return choice;
  }

  private ReservedRoom room(Layout layout) {
    return new ReservedRoom(
        Stream.of(Database.values())
            .map(database -> home(layout.place(database)))
            .map(home -> new Reserve(home, settings.reserveBytes))
            .toList());
  }

  /** Opening needs room too: on a full disk the reserve gives it. */
  private StorageEngine openEngine(EngineChoice choice, Layout.Place place, ReservedRoom room) {
    Path home = makeHome(place);
    return room.toGet(() -> choice.open(home.resolve("db"), settings.classLoader));
  }

  private Path makeHome(Layout.Place place) {
    Path home = home(place);
    try {
      return Files.createDirectories(home);
    } catch (IOException e) {
      throw SmallFile.failed("cannot make the directory " + home, e);
    }
  }

  private Path home(Layout.Place place) {
    return directory.resolve(place.directory());
  }

  private FormatRecord format(StorageEngine engine, Database database, Layout.Place place) {
    Path home = home(place);
    FormatRecord format =
        FormatRecord.read(engine)
            .orElseThrow(
                () ->
                    new IntegrityException(
                        "the %s database in %s has no format record: it is not the one LAYOUT means;"
                                .formatted(database.lowerCaseName(), home)
                            + " run ledgerkeep doctor"));
    if (format.database() != database) {
      throw new IntegrityException(
          "the %s database in %s is a %s database; run ledgerkeep doctor"
              .formatted(database.lowerCaseName(), home, format.database().lowerCaseName()));
    }
    if (format.pieceBytes() > RowWriter.pieceBytesFor(engine)) {
      throw new ConfigurationException(
          "the %s database in %s has values of up to %s bytes; its engine now takes %s at most"
              .formatted(
                  database.lowerCaseName(),
                  home,
                  format.pieceBytes(),
                  RowWriter.pieceBytesFor(engine)));
    }
    return format;
  }

  private void requireOneLedger(Map<Database, FormatRecord> formats) {
    FormatRecord block = Objects.requireNonNull(formats.get(Database.BLOCK));
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
    requireWanted(block);
  }

  private void requireWanted(FormatRecord block) {
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
  }

  // ------------------------------------------------------------------------------------ in part

  /**
   * The block database, opened without the others: they may be damaged, or gone.
   *
   * @param home where it lies, and all that belongs to it
   * @param engine the engine with values as they were written
   */
  record BlocksAlone(
      Path home,
      StorageEngine engine,
      Optional<SealedEngine> onSealed,
      Optional<Encryption.Sealed> by,
      FormatRecord format,
      ReservedRoom room) {}

  /** Opens the block database alone, for a job that owns the directory. */
  BlocksAlone openBlocks(Layout layout, Resources resources, Encryption.Keys keys) {
    Layout.Place place = layout.place(Database.BLOCK);
    Path home = home(place);
    List<Encryption.Sealed> candidates = candidates(resources, keys, home);
    ReservedRoom room = new ReservedRoom(List.of(new Reserve(home, settings.reserveBytes)));
    resources.add(room::takeBack);
    EngineChoice choice = matchingChoice(Database.BLOCK, place);
    StorageEngine engine = openEngine(choice, place, room);
    if (choice.isOurs()) {
      resources.add(engine);
    }
    Optional<Encryption.Sealed> by = proven(candidates, engine);
    Optional<SealedEngine> onSealed = by.map(found -> sealing(engine, Database.BLOCK, found));
    StorageEngine shown = onSealed.<StorageEngine>map(found -> found).orElse(engine);
    FormatRecord format = format(shown, Database.BLOCK, place);
    onSealed.ifPresent(SealedEngine::requireGeneration);
    requireWanted(format);
    return new BlocksAlone(home, shown, onSealed, by, format, room);
  }

  /** Opens one database that is there, whatever the others are. */
  PartFound openPart(
      Database database, Layout layout, Optional<Encryption.Sealed> by, Resources resources) {
    Layout.Place place = layout.place(database);
    StorageEngine engine = openEngine(matchingChoice(database, place), place, ReservedRoom.NONE);
    resources.add(engine);
    StorageEngine shown = sealing(engine, database, by);
    FormatRecord format = format(shown, database, place);
    if (shown instanceof SealedEngine sealedEngine) {
      sealedEngine.requireGeneration();
    }
    return new PartFound(shown, format);
  }

  /** A database that was opened by itself. */
  record PartFound(StorageEngine engine, FormatRecord format) {}

  /** Opens the engine of a database as it is, its values sealed if they are. */
  StorageEngine openBare(Database database, Layout layout, Resources resources) {
    Layout.Place place = layout.place(database);
    StorageEngine engine = openEngine(matchingChoice(database, place), place, ReservedRoom.NONE);
    resources.add(engine);
    return engine;
  }

  /** Returns what seals the values of the ledger whose keys lie in the directory. */
  Optional<Encryption.Sealed> sealedBy(Encryption.Keys keys, Path blockHome, Resources resources) {
    return candidates(resources, keys, blockHome).stream().findFirst();
  }

  /**
   * Opens a database that is made anew for the ledger, or makes it.
   *
   * @throws IntegrityException if something else lies there
   */
  PartMade openMade(
      Database database, Layout.Place place, BlocksAlone blocks, Resources resources) {
    StorageEngine engine = openEngine(matchingChoice(database, place), place, ReservedRoom.NONE);
    resources.add(engine);
    StorageEngine shown = sealing(engine, database, blocks.by());
    if (!FormatRecord.exists(engine) && FormatRecord.hasNothingBeside(engine)) {
      blocks.format().of(database, RowWriter.pieceBytesFor(shown)).write(shown);
    }
    FormatRecord format = format(shown, database, place);
    if (!format.ledgerId().equals(blocks.format().ledgerId())) {
      throw new IntegrityException(
          "the database in %s is that of ledger %s"
              .formatted(home(place), format.ledgerId().hex()));
    }
    return new PartMade(shown, format.pieceBytes());
  }

  /** Opens the engine of a database that is copied to a place, as its values lie there. */
  StorageEngine openCopied(Database database, Layout.Place place, Resources resources) {
    StorageEngine engine = openEngine(matchingChoice(database, place), place, ReservedRoom.NONE);
    resources.add(engine);
    return engine;
  }

  /** Returns an engine with its values sealed as those of the ledger are, if they are. */
  StorageEngine sealedAs(Engines ledger, Database database, StorageEngine stored) {
    return sealing(stored, database, ledger.by());
  }

  /** A database that is being made. */
  record PartMade(StorageEngine engine, int pieceBytes) {}
}
