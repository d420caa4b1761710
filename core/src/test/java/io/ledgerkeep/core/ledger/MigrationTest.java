package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep.Conversion;
import io.ledgerkeep.Migration;
import io.ledgerkeep.Migration.Outcome;
import io.ledgerkeep.Migration.Report;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngine.Limits;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyStorage;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import io.ledgerkeep.testkit.SampleEncryptor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ledger, or a database of it, is brought elsewhere: equal, and to one place, or not at all. */
final class MigrationTest {

  private static final String MARKER = "find-me-if-you-can";
  private static final long PIVOT = 20;
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-05-04T12:00:00Z"), ZoneOffset.UTC);

  @TempDir Path temporary;

  private final List<Block> blocks = chain(40);
  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private String name = "ledger";

  @AfterEach
  void nobodyListens() {
    FailPoint.tell(null);
  }

  /** Rows of less than a piece, of one exactly, and of several, on engines of other limits too. */
  private static List<Block> chain(int count) {
    List<Block> chain = new ArrayList<>();
    SampleChain.builder()
        .seed(11)
        .transactionsPerBlock(1)
        .configAt(height -> height % 9 == 5)
        .build()
        .blocks(count)
        .forEach(
            sample -> {
              Blocks next = Blocks.like(sample);
              long h = sample.height();
              next.header = Bytes.ofUtf8(MARKER + " header " + h);
              next.put("S" + h, "token", Bytes.ofUtf8("k" + h % 7), Bytes.ofUtf8(MARKER + h));
              if (h % 7 == 6) {
                next.delete("D" + h, "token", Bytes.ofUtf8("k" + h % 7));
              }
              if (h == 3) {
                next.put("large", "token", Bytes.ofUtf8("large"), Blocks.noise(1, 150_000));
              }
              chain.add(next.build());
            });
    return chain;
  }

  // ------------------------------------------------------------------------------------ settings

  private Path root() {
    return temporary.resolve(name);
  }

  private Path elsewhere() {
    return temporary.resolve("elsewhere-" + name);
  }

  private Settings settings(boolean encrypted) {
    return settings(disk, new FaultPlan(), store.reopen(), encrypted);
  }

  private Settings settings(
      MemoryDisk on, FaultPlan plan, ArchiveStore archive, boolean encrypted) {
    Settings settings = new Settings();
    settings.directory = root();
    settings.engine =
        new Settings.ProvidedEngine(new FaultyStorage(new LandStorage(on), plan), Options.none());
    settings.store = new Settings.BuiltStore(archive);
    settings.reserveBytes = 0;
    settings.readThrough = true;
    if (encrypted) {
      settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    }
    return settings;
  }

  private Settings moved(boolean encrypted) {
    Settings moved = settings(encrypted);
    moved.directory = elsewhere();
    return moved;
  }

  /** Another engine by its name, which takes smaller values only. */
  private StorageEngineProvider narrow() {
    return new StorageEngineProvider() {
      private final LandStorage land =
          new LandStorage(disk, new Limits(40 << 10, 70_000, 1 << 20, 1000));

      @Override
      public String name() {
        return "narrow";
      }

      @Override
      public StorageEngine open(Path place, Options options) {
        return land.open(place, options);
      }
    };
  }

  private static Report migrate(Settings settings, Migration migration) {
    return new MigrationJob(settings, migration, NOON).run();
  }

  private Migration toElsewhere() {
    return Migration.ofLedger().toDirectory(elsewhere());
  }

  private Migration stateToFast() {
    return Migration.of(Database.STATE).toDirectory(temporary.resolve("fast-" + name));
  }

  private static Ledger open(Settings settings) {
    return new LedgerOpener(settings).open(false);
  }

  private void fill(Settings settings, boolean archived) {
    settings.unarchivedBlocks = 12L;
    try (Ledger made = new LedgerOpener(settings).open(true)) {
      made.commitAll(blocks);
      if (archived) {
        made.archiver().archive(ArchiveRequest.upTo(PIVOT));
      }
    }
  }

  private void assertIsWhole(Settings settings, long pivot) {
    try (Ledger whole = open(settings)) {
      Replay.of(blocks).assertToldBy(whole);
      assertThat(whole.archivedHeight()).isEqualTo(pivot);
      assertThat(whole.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      assertThat(whole.status().unarchivedBlocks()).isEqualTo(12);
    }
  }

  private void assertIsRefusedAsMoved(Settings settings) {
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> open(settings))
        .withMessageContaining("was moved to " + elsewhere())
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.MOVED));
  }

  private List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.map(Path::toString).sorted().toList();
    }
  }

  // ------------------------------------------------------------------------------------ places

  @ParameterizedTest
  @CsvSource({"false,false", "false,true", "true,false", "true,true"})
  void aWholeLedgerGetsAnotherDirectoryAndStaysTheSame(boolean encrypted, boolean archived) {
    fill(settings(encrypted), archived);
    String id = idOf(settings(encrypted));
    Report report = migrate(settings(encrypted), toElsewhere());
    assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    assertThat(report.ledgerId()).isEqualTo(id);
    assertThat(report.directory()).isEqualTo(elsewhere());
    assertThat(report.rows()).isGreaterThan(100);
    assertThat(report.contentDigests()).containsOnlyKeys(Database.values());
    assertIsWhole(moved(encrypted), archived ? PIVOT : 0);
    assertThat(idOf(moved(encrypted))).isEqualTo(id);
    assertIsRefusedAsMoved(settings(encrypted));
    assertThat(elsewhere().resolve("ARRIVING")).doesNotExist();
    assertThat(root().resolve("MIGRATING")).doesNotExist();
  }

  private static String idOf(Settings settings) {
    try (Ledger ledger = open(settings)) {
      return ledger.status().ledgerId();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLedgerThatMovedGoesOnWithItsArchive(boolean encrypted) {
    fill(settings(encrypted), true);
    migrate(settings(encrypted), toElsewhere());
    try (Ledger going = open(moved(encrypted))) {
      going.commit(next());
      going.archiver().archive(ArchiveRequest.upTo(28));
      going.restorer().restore(RestoreRequest.downTo(9));
    }
    assertIsWhole(moved(encrypted), 8);
  }

  private Block next() {
    Block last = blocks.get(blocks.size() - 1);
    Block next =
        Blocks.after(last)
            .put("more" + last.height(), "token", Bytes.ofUtf8("k1"), Bytes.EMPTY)
            .build();
    blocks.add(next);
    return next;
  }

  @ParameterizedTest
  @CsvSource({
    "STATE,false",
    "STATE,true",
    "HISTORY,true",
    "BLOCK,false",
    "BLOCK,true",
  })
  void oneDatabaseGetsADiskOfItsOwn(Database database, boolean encrypted) {
    fill(settings(encrypted), true);
    Path fast = temporary.resolve("fast");
    Report report = migrate(settings(encrypted), Migration.of(database).toDirectory(fast));
    assertThat(report.contentDigests()).containsOnlyKeys(database);
    assertThat(report.places()).isEqualTo(Map.of(database, fast));
    assertThat(Layout.read(root()).place(database)).isEqualTo(place("memory", fast));
    assertThat(report.originals())
        .containsExactly(
            root().resolve(database.lowerCaseName()),
            root().resolve("backup-20260504T120000Z-migrate"));
    report.originals().forEach(Directories::delete);
    assertIsWhole(settings(encrypted), PIVOT);
    try (Ledger going = open(settings(encrypted))) {
      going.commit(next());
    }
    assertIsWhole(settings(encrypted), PIVOT);
  }

  private static Layout.Place place(String engine, Path directory) {
    return new Layout.Place(engine, directory.toString());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLedgerGetsAnotherEngineWhoseValuesAreSmaller(boolean encrypted) {
    fill(settings(encrypted), true);
    Map<Database, Bytes> roomy = migrate(settings(encrypted), toElsewhere()).contentDigests();
    Report report =
        migrate(moved(encrypted), Migration.ofLedger().onEngine(narrow(), Options.none()));
    assertThat(report.directory()).isEqualTo(elsewhere());
    assertThat(report.contentDigests()).isEqualTo(roomy);
    Settings narrow = moved(encrypted);
    narrow.engine = new Settings.ProvidedEngine(narrow(), Options.none());
    assertIsWhole(narrow, PIVOT);
    assertThat(Layout.read(elsewhere()).place(Database.STATE))
        .isEqualTo(new Layout.Place("narrow", "state.migrated-20260504T120000Z"));

    StorageEngineProvider back = new LandStorage(disk);
    name = "back";
    Report home = migrate(narrow, toElsewhere().onEngine(back, Options.none()));
    assertThat(home.contentDigests()).isEqualTo(roomy);
    assertIsWhole(moved(encrypted), PIVOT);
  }

  @Test
  void stateAloneGetsAnotherEngine() {
    fill(settings(true), true);
    migrate(settings(true), stateToFast().onEngine(narrow(), Options.none()));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> open(settings(true)))
        .withMessageContaining("on engine 'narrow'");
    Settings mixed = settings(true);
    mixed.engines.put(Database.STATE, new Settings.ProvidedEngine(narrow(), Options.none()));
    assertIsWhole(mixed, PIVOT);
  }

  @Test
  void anEncryptorThatIsHandedInWillDo() {
    Settings settings = settings(false);
    try (SampleEncryptor encryptor = new SampleEncryptor(1)) {
      settings.encryption = new Encryption.Built(encryptor);
      fill(settings, false);
      migrate(settings, toElsewhere());
      Settings moved = settings.copy();
      moved.directory = elsewhere();
      assertIsWhole(moved, 0);
    }
  }

  @Test
  void anEmptyLedgerIsMigratedToo() {
    new LedgerOpener(settings(true)).open(true).close();
    migrate(settings(true), toElsewhere());
    try (Ledger empty = open(moved(true))) {
      assertThat(empty.height()).isEqualTo(-1);
      empty.commitAll(blocks);
    }
  }

  @Test
  void whatWasMigratedIsALedgerLikeAnyOther() {
    fill(settings(false), true);
    migrate(settings(false), stateToFast());
    new RebuildJob(settings(false), Rebuilder.Request.all(), NOON).run();
    migrate(settings(false), toElsewhere());
    Settings encrypted = moved(true);
    new ConversionJob(encrypted, Conversion.encrypt(), NOON).run();
    assertIsWhole(encrypted, PIVOT);
  }

  // ------------------------------------------------------------------------------------ version

  /** As an older release would have made it. */
  private void asOfRelease(String version) {
    for (Database database : Database.values()) {
      Path db = root().resolve(database.lowerCaseName()).resolve("db");
      try (StorageEngine engine = new LandStorage(disk).open(db, Options.none())) {
        FormatRecord.read(engine).orElseThrow().withCompatibility(version).write(engine);
      }
    }
  }

  private static String versionOf(Settings settings) {
    try (Ledger ledger = open(settings)) {
      return ledger.status().compatibilityVersion();
    }
  }

  @Test
  void onlyAMigrationOfTheWholeLedgerChangesTheCompatibilityVersion() {
    fill(settings(false), true);
    asOfRelease("0.0");
    try (Ledger going = open(settings(false))) {
      going.commit(next());
      going.restorer().restore(RestoreRequest.downTo(1));
    }
    new RebuildJob(settings(false), Rebuilder.Request.all(), NOON).run();
    migrate(settings(false), stateToFast());
    assertThat(versionOf(settings(false))).isEqualTo("0.0");
    migrate(settings(false), toElsewhere());
    assertThat(versionOf(moved(false))).isEqualTo("0.1");
    assertIsWhole(moved(false), 0);
  }

  /** A release that knows one layout only must not open what was moved away. */
  @Test
  void whatStandsForALedgerThatMovedIsALayoutOfAnotherVersion() {
    fill(settings(false), true);
    migrate(settings(false), toElsewhere());
    assertThatExceptionOfType(UnsupportedFormatException.class)
        .isThrownBy(
            () ->
                CheckedText.read(
                    root().resolve("LAYOUT"), "ledgerkeep layout ", "ledgerkeep layout 1"))
        .withMessageContaining("'ledgerkeep layout moved 1'");
  }

  @Test
  void aRecordOfANewerReleaseIsRefusedByName() throws IOException {
    fill(settings(false), true);
    cancelledAfter(settings(false), toElsewhere(), 0);
    Path record = root().resolve("MIGRATING");
    List<String> lines = new ArrayList<>(Files.readAllLines(record));
    lines.set(0, "ledgerkeep migration 2");
    CheckedText.write(record, lines.subList(0, lines.size() - 1));
    assertThatExceptionOfType(UnsupportedFormatException.class)
        .isThrownBy(() -> migrate(settings(false), toElsewhere()))
        .withMessageContaining("'ledgerkeep migration 2'");
  }

  // ------------------------------------------------------------------------------------ sealed

  @Test
  void rowsOfAnEncryptedLedgerTravelSealedAndItsKeysAreNotTouched() throws IOException {
    fill(settings(true), false);
    migrate(settings(true), toElsewhere());
    assertThat(elsewhere().resolve("block/KEYS"))
        .hasSameBinaryContentAs(root().resolve("block/KEYS"));
    for (Database database : Database.values()) {
      String home = database.lowerCaseName();
      TreeMap<Bytes, Bytes> here = content(root().resolve(home));
      TreeMap<Bytes, Bytes> there = content(elsewhere().resolve(home));
      assertThat(there).isEqualTo(here);
      there
          .values()
          .forEach(
              value ->
                  assertThat(new String(value.toArray(), StandardCharsets.ISO_8859_1))
                      .doesNotContain(MARKER));
    }
    try (Stream<Path> files = Files.walk(temporary)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).doesNotContain(MARKER);
      }
    }
  }

  private TreeMap<Bytes, Bytes> content(Path home) {
    try (StorageEngine engine = new LandStorage(disk).open(home.resolve("db"), Options.none())) {
      return World.content(engine);
    }
  }

  @Test
  void withoutTheKeyNothingIsBegun() throws IOException {
    fill(settings(true), false);
    List<String> before = names(root());
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> migrate(settings(false), toElsewhere()));
    assertThat(names(root())).isEqualTo(before);
    assertThat(elsewhere()).doesNotExist();
  }

  // ------------------------------------------------------------------------------------ digest

  /** As docs/format.md has it. */
  @Test
  void theContentDigestIsThatOfTheFormatsPage() throws Exception {
    fill(settings(false), true);
    Report report = migrate(settings(false), stateToFast());
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    content(root().resolve("state"))
        .forEach(
            (key, value) -> {
              if (!key.equals(Bytes.ofUtf8("\u0001format"))) {
                digest.update(varint(key.size()));
                digest.update(key.toArray());
                digest.update(varint(value.size()));
                digest.update(value.toArray());
              }
            });
    assertThat(report.contentDigests())
        .isEqualTo(Map.of(Database.STATE, Bytes.wrap(digest.digest())));
  }

  private static byte[] varint(int number) {
    List<Byte> bytes = new ArrayList<>();
    int rest = number;
    for (; rest > 127; rest >>>= 7) {
      bytes.add((byte) ((rest & 127) | 128));
    }
    bytes.add((byte) rest);
    byte[] all = new byte[bytes.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = bytes.get(i);
    }
    return all;
  }

  @Test
  void anEncryptedLedgerHasTheDigestsOfOneInPlain() {
    fill(settings(false), false);
    Map<Database, Bytes> plain = migrate(settings(false), toElsewhere()).contentDigests();
    name = "encrypted";
    fill(settings(true), false);
    assertThat(migrate(settings(true), toElsewhere()).contentDigests()).isEqualTo(plain);
  }

  @ParameterizedTest
  @EnumSource(Database.class)
  void aCopyThatDiffersIsThrownAwayAndNothingIsSwitched(Database database) throws IOException {
    fill(settings(false), true);
    List<String> before = names(root());
    FailPoint.tell(
        place -> {
          if (place.equals("migrate.filled")) {
            damage(elsewhere().resolve(database.lowerCaseName()));
          }
        });
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> migrate(settings(false), toElsewhere()))
        .withMessageContaining("the %s database has content digest", database.lowerCaseName())
        .withMessageContaining("nothing was switched");
    assertThat(names(root())).isEqualTo(before);
    try (Stream<Path> left = Files.list(elsewhere())) {
      assertThat(left).containsExactly(elsewhere().resolve("LOCK"));
    }
    assertIsWhole(settings(false), PIVOT);
    FailPoint.tell(null);
    assertThat(migrate(settings(false), toElsewhere()).outcome()).isEqualTo(Outcome.DONE);
    assertIsWhole(moved(false), PIVOT);
  }

  @Test
  void aDamagedRowIsNotCopied() {
    fill(settings(true), false);
    damage(root().resolve("history"));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> migrate(settings(true), toElsewhere()))
        .withMessageContaining("the history database of the ledger in " + root() + " is damaged");
    assertThat(Layout.exists(elsewhere())).isFalse();
  }

  /** Changes the last bit of the last row. */
  private void damage(Path home) {
    try (StorageEngine engine = new LandStorage(disk).open(home.resolve("db"), Options.none())) {
      Map.Entry<Bytes, Bytes> last = World.content(engine).lastEntry();
      byte[] value = last.getValue().toArray();
      value[value.length - 1] ^= 1;
      engine.write(new WriteBatch().put(last.getKey(), Bytes.wrap(value)), Durability.DURABLE);
    }
  }

  // ------------------------------------------------------------------------------------ source

  @Test
  void theOriginalsComeBackWithTheirLayout() throws IOException {
    fill(settings(true), true);
    Report report = migrate(settings(true), toElsewhere());
    Path before = report.backup().orElseThrow().resolve("LAYOUT.before");
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> open(settings(true)))
        .withMessageContaining("put " + before + " in the place of " + root().resolve("LAYOUT"));
    Files.move(before, root().resolve("LAYOUT"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertIsWhole(settings(true), PIVOT);
  }

  @Test
  void everyJobRefusesALedgerThatMoved() {
    fill(settings(false), true);
    migrate(settings(false), toElsewhere());
    List<Runnable> jobs =
        List.of(
            () -> migrate(settings(false), stateToFast()),
            () -> migrate(settings(false), stateToFast().asDryRun()),
            () -> new ConversionJob(settings(true), Conversion.encrypt(), NOON).run(),
            () -> new RebuildJob(settings(false), Rebuilder.Request.all(), NOON).run(),
            () -> new RebuildJob(settings(false), Rebuilder.Request.all(), NOON).plan());
    jobs.forEach(
        job ->
            assertThatExceptionOfType(ConflictException.class)
                .isThrownBy(job::run)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.MOVED)));
    assertThat(migrate(settings(false), toElsewhere()).outcome()).isEqualTo(Outcome.NOTHING_TO_DO);
    try (Ledger owner = open(moved(false))) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> migrate(settings(false), toElsewhere()))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.LOCKED));
    }
  }

  @Test
  void theSourceIsRemovedWhereThatIsAskedFor() throws IOException {
    fill(settings(true), true);
    Report report = migrate(settings(true), toElsewhere().removingSource());
    assertThat(report.originals()).isEmpty();
    assertThat(report.backup()).isEmpty();
    try (Stream<Path> left = Files.list(root())) {
      assertThat(left.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("LAYOUT", "LOCK", "status.json");
    }
    assertIsRefusedAsMoved(settings(true));
    assertIsWhole(moved(true), PIVOT);
    migrate(moved(true), Migration.ofLedger().toDirectory(root()));
    assertIsWhole(settings(true), PIVOT);

    name = "one";
    fill(settings(true), true);
    migrate(settings(true), stateToFast().removingSource());
    assertThat(root().resolve("state")).doesNotExist();
    assertIsWhole(settings(true), PIVOT);
  }

  @Test
  void theSourceIsNotRemovedBeforeTheLedgerWasOpenedElsewhere() {
    fill(settings(false), true);
    FailPoint.tell(
        place -> {
          if (place.equals("migrate.opened")) {
            throw new MachineCrash("at " + place);
          }
        });
    assertThatExceptionOfType(MachineCrash.class)
        .isThrownBy(() -> migrate(settings(false), toElsewhere().removingSource()));
    assertThat(content(root().resolve("block"))).isNotEmpty();
  }

  // ------------------------------------------------------------------------------------ refusals

  @Test
  void aDryRunTellsAndChangesNothing() throws IOException {
    fill(settings(true), true);
    List<String> before = names(temporary);
    Report plan = migrate(settings(true), toElsewhere().asDryRun());
    assertThat(plan.outcome()).isEqualTo(Outcome.PLANNED);
    assertThat(plan.bytesNeeded()).isPositive();
    assertThat(plan.places()).containsEntry(Database.STATE, elsewhere().resolve("state"));
    assertThat(names(temporary)).isEqualTo(before);
  }

  @Test
  void whereTheRoomWillNotSufficeNothingIsBegun() throws IOException {
    fill(settings(false), true);
    List<String> before = names(temporary);
    long needed = migrate(settings(false), toElsewhere().asDryRun()).bytesNeeded();
    Settings small = settings(false);
    small.usableBytes = place -> needed - 1;
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> migrate(small, toElsewhere()))
        .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
    assertThat(names(temporary)).isEqualTo(before);
  }

  @Test
  void whatCannotBeIsRefusedAndNothingIsBegun() throws IOException {
    fill(settings(false), true);
    Path full = Files.createDirectory(temporary.resolve("full"));
    Files.createFile(full.resolve("something"));
    List<String> before = names(temporary);
    assertIsRefused(Migration.ofLedger(), "not said where");
    assertIsRefused(toElsewhere().toDirectory(full), "is not empty");
    assertIsRefused(stateToFast().toDirectory(full), "is not empty");
    assertIsRefused(
        toElsewhere().toDirectory(temporary.resolve("not/mounted")), "is the disk mounted?");
    assertIsRefused(
        stateToFast().toDirectory(root().resolve("block/state")), "lie within each other");
    assertIsRefused(stateToFast().onEngine("nothing", Options.none()), "no storage engine named");
    assertThat(names(temporary).stream().filter(path -> !path.endsWith("MIGRATING")))
        .containsAll(before);
    assertIsWhole(settings(false), PIVOT);
  }

  private void assertIsRefused(Migration migration, String why) {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> migrate(settings(false), migration))
        .withMessageContaining(why);
  }

  @Test
  void anEngineThatHoldsRowsAlreadyIsNotTakenForAnEmptyOne() {
    fill(settings(false), true);
    Path fast = temporary.resolve("fast-" + name);
    // as a server does, which knows nothing of directories
    InMemoryStorage server = new InMemoryStorage(disk);
    try (StorageEngine another = server.open(fast.resolve("db"), Options.none())) {
      another.write(new WriteBatch().put(Bytes.ofUtf8("theirs"), Bytes.EMPTY), Durability.DURABLE);
    }
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(
            () -> migrate(settings(false), stateToFast().onEngine(named(server), Options.none())))
        .withMessageContaining("holds data already");
    try (StorageEngine another = server.open(fast.resolve("db"), Options.none())) {
      assertThat(another.get(Bytes.ofUtf8("theirs"))).isPresent();
    }
    assertThat(root().resolve("MIGRATING")).doesNotExist();
    assertIsWhole(settings(false), PIVOT);
  }

  private static StorageEngineProvider named(InMemoryStorage server) {
    return new StorageEngineProvider() {
      @Override
      public String name() {
        return "server";
      }

      @Override
      public StorageEngine open(Path place, Options options) {
        return server.open(place, options);
      }
    };
  }

  @Test
  void whereTheLedgerIsThereIsNothingToDo() {
    fill(settings(false), true);
    assertThat(migrate(settings(false), toElsewhere().toDirectory(root())).outcome())
        .isEqualTo(Outcome.NOTHING_TO_DO);
    migrate(settings(false), stateToFast());
    assertThat(migrate(settings(false), stateToFast()).outcome()).isEqualTo(Outcome.NOTHING_TO_DO);
    assertIsWhole(settings(false), PIVOT);
  }

  @Test
  void whoeverMigratesOwnsBothDirectories() {
    fill(settings(false), true);
    try (Ledger owner = open(settings(false))) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> migrate(settings(false), toElsewhere()))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.LOCKED));
    }
    AtomicInteger refused = new AtomicInteger();
    JobControl control =
        JobControl.none()
            .onProgress(
                progress -> {
                  for (Path directory : List.of(root(), elsewhere())) {
                    assertThatExceptionOfType(ConflictException.class)
                        .isThrownBy(() -> OwnerLock.take(directory));
                  }
                  refused.incrementAndGet();
                });
    migrate(settings(false), toElsewhere().with(control));
    assertThat(refused).hasPositiveValue();
  }

  @Test
  void aLedgerThatHasNotArrivedIsRefusedWithTheWayOut() {
    fill(settings(false), true);
    assertThat(cancelledAfter(settings(false), toElsewhere(), 0).outcome())
        .isEqualTo(Outcome.CANCELLED);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> new LedgerOpener(moved(false)).open(true))
        .withMessageContaining("has not arrived")
        .withMessageContaining("ledgerkeep migrate");
  }

  // ------------------------------------------------------------------------------------ going on

  private static Report cancelledAfter(Settings settings, Migration migration, int questions) {
    AtomicInteger asked = new AtomicInteger();
    return migrate(
        settings,
        migration.with(JobControl.none().cancelledBy(() -> asked.incrementAndGet() > questions)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void cancelledAtAnyQuestionItGoesOn(boolean encrypted) {
    fill(settings(encrypted), true);
    int questions = 0;
    while (cancelledAfter(settings(encrypted), toElsewhere(), questions).outcome()
        == Outcome.CANCELLED) {
      assertIsWhole(settings(encrypted), PIVOT);
      questions++;
    }
    assertThat(questions).isGreaterThan(6);
    assertIsWhole(moved(encrypted), PIVOT);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatChangedInBetweenIsTheSameInTheCopy(boolean encrypted) {
    fill(settings(encrypted), true);
    FailPoint.tell(
        place -> {
          if (place.equals("migrate.verified")) {
            throw new MachineCrash("at " + place);
          }
        });
    assertThatExceptionOfType(MachineCrash.class)
        .isThrownBy(() -> migrate(settings(encrypted), toElsewhere()));
    FailPoint.tell(null);
    try (Ledger going = open(settings(encrypted))) {
      going.commit(next());
      going.restorer().restore(RestoreRequest.downTo(12));
      going.archiver().archive(ArchiveRequest.upTo(15));
    }
    migrate(settings(encrypted), toElsewhere());
    assertIsWhole(moved(encrypted), 15);
  }

  @Test
  void whatWasBegunForAnotherPlaceIsRemoved() {
    fill(settings(false), true);
    cancelledAfter(settings(false), stateToFast(), 0);
    assertThat(temporary.resolve("fast-ledger")).isDirectory();
    migrate(settings(false), toElsewhere());
    assertThat(temporary.resolve("fast-ledger")).doesNotExist();
    assertIsWhole(moved(false), PIVOT);
  }

  /** It may have been switched to, and may be what another job kept as an original. */
  @Test
  void whatWasProvenForAnotherPlaceIsLeft() {
    fill(settings(false), true);
    cancelledAfter(settings(false), stateToFast(), 0);
    MigrationRecord record = MigrationRecord.read(root()).orElseThrow();
    record.at(MigrationRecord.Step.SWITCHING).write(root());
    migrate(settings(false), toElsewhere());
    assertThat(temporary.resolve("fast-ledger")).isDirectory();
  }

  /** Where a copy was begun and given up by hand, another ledger may be by now. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsAnotherLedgersByNowIsNotTouched(boolean whole) {
    fill(settings(false), false);
    Migration first = whole ? toElsewhere() : blocksToFast();
    cancelledAfter(settings(false), first, 2);
    Path place = whole ? elsewhere() : temporary.resolve("fast-ledger");
    Directories.delete(place);
    Settings another = anotherLedger(whole ? place : temporary.resolve("another"));
    if (!whole) {
      migrate(another.copy(), blocksToFast().removingSource());
    }
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> migrate(settings(false), first))
        .withMessageContaining("is not empty");
    assertIsWhole(another.copy(), 0);
    assertIsWhole(settings(false), 0);
    migrate(settings(false), Migration.ofLedger().toDirectory(temporary.resolve("third")));
    assertIsWhole(another, 0);
  }

  private Migration blocksToFast() {
    return Migration.of(Database.BLOCK).toDirectory(temporary.resolve("fast-ledger"));
  }

  private Settings anotherLedger(Path directory) {
    Settings another = settings(false);
    another.directory = directory;
    another.store = null;
    fill(another.copy(), false);
    return another;
  }

  @Test
  void whatWasBegunAndRemovedByHandIsBegunAgain() {
    fill(settings(false), true);
    cancelledAfter(settings(false), toElsewhere(), 2);
    Directories.delete(elsewhere());
    assertThat(migrate(settings(false), toElsewhere()).outcome()).isEqualTo(Outcome.DONE);
    assertIsWhole(moved(false), PIVOT);
    assertThat(elsewhere().resolve("ARRIVING")).doesNotExist();
  }

  @Test
  void aLedgerDoesNotMoveIntoItself() {
    fill(settings(false), false);
    assertIsRefused(
        Migration.ofLedger().toDirectory(root().resolve("inner")), "choose a directory outside");
  }

  @Test
  void aDamagedRecordIsRefused() throws IOException {
    fill(settings(false), false);
    cancelledAfter(settings(false), toElsewhere(), 0);
    Path record = root().resolve("MIGRATING");
    byte[] bytes = Files.readAllBytes(record);
    bytes[40] ^= 1;
    Files.write(record, bytes);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> migrate(settings(false), toElsewhere()));
    assertIsWhole(settings(false), 0);
  }

  // ------------------------------------------------------------------------------------ kills

  /** Every step that is passed once is a place to die at. */
  @ParameterizedTest
  @CsvSource({"true,true", "false,false"})
  void killedAtAnyStepItIsWholeInOnePlaceAndGoesOn(boolean whole, boolean encrypted) {
    Set<String> steps = new LinkedHashSet<>();
    name = "first";
    fill(settings(encrypted), true);
    FailPoint.tell(steps::add);
    migrate(settings(encrypted), asked(whole));
    assertThat(steps).hasSizeGreaterThan(9).contains("migrate.switched", "migrate.removed");
    steps.removeIf(step -> !step.startsWith("migrate."));
    for (String step : steps) {
      name = step;
      FailPoint.tell(null);
      fill(settings(encrypted), true);
      dieAt(step);
      assertThatExceptionOfType(MachineCrash.class)
          .isThrownBy(() -> migrate(settings(encrypted), asked(whole)));
      FailPoint.tell(null);
      assertIsWholeInAtMostOnePlace(encrypted);
      assertThat(migrate(settings(encrypted), asked(whole)).outcome())
          .isIn(Outcome.DONE, Outcome.NOTHING_TO_DO);
      assertIsWhole(whole ? moved(encrypted) : settings(encrypted), PIVOT);
      assertThat(root().resolve("MIGRATING")).doesNotExist();
      assertThat(root().resolve("state")).doesNotExist();
      assertThat(elsewhere().resolve("ARRIVING")).doesNotExist();
    }
  }

  private Migration asked(boolean whole) {
    return (whole ? toElsewhere() : stateToFast()).removingSource();
  }

  private static void dieAt(String step) {
    FailPoint.tell(
        place -> {
          if (place.equals(step)) {
            throw new MachineCrash("at " + place);
          }
        });
  }

  /** In between it is in neither: two of one identity would write to one archive. */
  private void assertIsWholeInAtMostOnePlace(boolean encrypted) {
    boolean isHere = Layout.moved(root()).isEmpty();
    boolean isThere = Layout.exists(elsewhere());
    assertThat(isHere && isThere).isFalse();
    if (isHere) {
      assertIsWhole(settings(encrypted), PIVOT);
    } else if (isThere) {
      assertIsWhole(moved(encrypted), PIVOT);
    }
  }

  // ------------------------------------------------------------------------------------ faults

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverChangeGoesWrongTheLedgerIsWholeAndTheNextRunEndsIt(Fault fault) {
    long n = 1 + fault.ordinal() % 2; // each place meets half of the faults
    while (oneFault(Call.CHANGES, fault, n)) {
      n += 2;
    }
    assertThat(n).isGreaterThan(6);
  }

  private boolean oneFault(Set<Call> calls, Fault fault, long n) {
    name = fault + "-" + n;
    MemoryDisk on = new MemoryDisk(n);
    InMemoryArchiveStore archive = new InMemoryArchiveStore();
    fill(settings(on, new FaultPlan(), archive.reopen(), true), true);
    FaultPlan plan = new FaultPlan().whenCrashing(on::crash).at(calls, n, fault);
    boolean failed = false;
    try {
      migrate(settings(on, plan, archive.reopen(), true), toElsewhere());
    } catch (LedgerkeepException | MachineCrash e) {
      failed = true;
    }
    boolean reached = plan.calls(calls) >= n;
    plan.repair();
    Settings now = settings(on, new FaultPlan(), archive.reopen(), true);
    if (Layout.moved(root()).isEmpty()) {
      assertIsWhole(now, PIVOT);
    }
    if (failed) {
      migrate(now, toElsewhere());
    }
    Settings there = now.copy();
    there.directory = elsewhere();
    assertIsWhole(there, PIVOT);
    return reached;
  }
}
