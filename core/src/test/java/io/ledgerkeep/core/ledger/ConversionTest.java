package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep.Conversion;
import io.ledgerkeep.Ledgerkeep.Conversion.Direction;
import io.ledgerkeep.Ledgerkeep.Conversion.Outcome;
import io.ledgerkeep.Ledgerkeep.Conversion.Report;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyArchiveStore;
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
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ledger in plain becomes an encrypted one, and back: equal, or not at all. */
final class ConversionTest {

  private static final String MARKER = "find-me-if-you-can";
  private static final long PIVOT = 20;
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-05-04T12:00:00Z"), ZoneOffset.UTC);

  @TempDir Path temporary;

  private final List<Block> blocks = markedChain(40);
  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private Path ledger;

  private static List<Block> markedChain(int count) {
    List<Block> chain = new ArrayList<>();
    SampleChain.builder()
        .seed(9)
        .transactionsPerBlock(1)
        .configAt(height -> height % 9 == 5)
        .build()
        .blocks(count)
        .forEach(
            sample -> {
              Blocks next = Blocks.like(sample);
              long h = sample.height();
              next.header = Bytes.ofUtf8(MARKER + " header " + h);
              next.additional = Bytes.ofUtf8(MARKER + " additional " + h);
              next.put("S" + h, "token", Bytes.ofUtf8("k" + h % 7), Bytes.ofUtf8(MARKER + h));
              if (h % 7 == 6) {
                next.delete("D" + h, "token", Bytes.ofUtf8("k" + h % 7));
              }
              chain.add(next.build());
            });
    return chain;
  }

  // ------------------------------------------------------------------------------------ settings

  private Settings plain() {
    return settings(disk, new FaultPlan(), store.reopen());
  }

  private Settings encrypted() {
    return under(plain(), "aes", Keys.AES);
  }

  private static Settings under(Settings settings, String encryptor, String key) {
    settings.encryption = new Encryption.Named(encryptor, Options.of("key", key));
    return settings;
  }

  private Settings settings(MemoryDisk on, FaultPlan plan, @Nullable ArchiveStore archive) {
    Settings settings = new Settings();
    settings.directory = ledger == null ? temporary.resolve("ledger") : ledger;
    settings.engine =
        new Settings.ProvidedEngine(new FaultyStorage(new LandStorage(on), plan), Options.none());
    settings.store = archive == null ? null : new Settings.BuiltStore(archive);
    settings.reserveBytes = 0;
    settings.readThrough = true;
    settings.copyArchiveBytes = 500;
    return settings;
  }

  private static Report convert(Settings settings, Conversion conversion) {
    return new ConversionJob(settings, conversion, NOON).run();
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

  // ------------------------------------------------------------------------------------ round
  // trips

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLedgerIsEncryptedAndDecryptedAgain(boolean archived) {
    fill(plain(), archived);
    long pivot = archived ? PIVOT : 0;
    Report encryption = convert(encrypted(), Conversion.encrypt());
    assertThat(encryption.outcome()).isEqualTo(Outcome.DONE);
    assertThat(encryption.blocks()).isEqualTo(blocks.size());
    assertIsWhole(encrypted(), pivot);
    assertThatExceptionOfType(KeyUnavailableException.class).isThrownBy(() -> open(plain()));

    Report decryption = convert(encrypted(), Conversion.decrypt());
    assertThat(decryption.outcome()).isEqualTo(Outcome.DONE);
    assertThat(decryption.ledgerIdBefore()).isEqualTo(encryption.ledgerIdAfter());
    assertThat(
            List.of(
                encryption.ledgerIdBefore(),
                encryption.ledgerIdAfter(),
                decryption.ledgerIdAfter()))
        .doesNotHaveDuplicates();
    assertIsWhole(plain(), pivot);
    assertThat(temporary.resolve("ledger/CONVERTING")).doesNotExist();
    assertThat(temporary.resolve("ledger/CONVERTING.ledger")).doesNotExist();
  }

  @Test
  void whatWasConvertedIsALedgerLikeAnyOther() {
    fill(plain(), true);
    convert(encrypted(), Conversion.encrypt());
    try (Ledger converted = open(encrypted())) {
      assertThat(converted.status().encryption()).isEqualTo("AES-256-GCM");
      assertThat(converted.status().chainId()).isEqualTo("chain1");
      converted.archiver().archive(ArchiveRequest.upTo(25));
      converted.restorer().restore(RestoreRequest.downTo(1));
    }
    assertIsWhole(encrypted(), 0);
  }

  @Test
  void anEmptyLedgerIsConvertedToo() {
    new LedgerOpener(plain()).open(true).close();
    assertThat(convert(encrypted(), Conversion.encrypt()).blocks()).isZero();
    try (Ledger empty = open(encrypted())) {
      assertThat(empty.height()).isEqualTo(-1);
      empty.commitAll(blocks);
    }
    convert(encrypted(), Conversion.decrypt());
    try (Ledger full = open(plain())) {
      Replay.of(blocks).assertToldBy(full);
    }
  }

  @Test
  void anEncryptorThatIsHandedInWillDo() {
    fill(plain(), false);
    Settings settings = plain();
    try (SampleEncryptor encryptor = new SampleEncryptor(1)) {
      settings.encryption = new Encryption.Built(encryptor);
      convert(settings, Conversion.encrypt());
      assertIsWhole(settings, 0);
      convert(settings, Conversion.decrypt());
    }
    assertIsWhole(plain(), 0);
  }

  @Test
  void whatIsAsItShallBeIsLeftAsItIs() {
    fill(plain(), false);
    assertThat(convert(plain(), Conversion.decrypt()).outcome()).isEqualTo(Outcome.NOTHING_TO_DO);
    convert(encrypted(), Conversion.encrypt());
    Layout layout = Layout.read(temporary.resolve("ledger"));
    assertThat(convert(encrypted(), Conversion.encrypt()).outcome())
        .isEqualTo(Outcome.NOTHING_TO_DO);
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> convert(under(plain(), "aes", Keys.OTHER_AES), Conversion.encrypt()));
    assertThat(Layout.read(temporary.resolve("ledger"))).isEqualTo(layout);
  }

  // ------------------------------------------------------------------------------------ the
  // original

  @Test
  void theOriginalCanBeOpenedWhereTheReportSaysAndIsAllThatItNames() throws IOException {
    fill(plain(), true);
    Map<Database, TreeMap<Bytes, Bytes>> before = contents("block", "state", "history");
    Report report = convert(encrypted(), Conversion.encrypt());
    Path backup = report.backup().orElseThrow();
    assertThat(backup).isEqualTo(temporary.resolve("ledger/backup-20260504T120000Z-plain"));
    assertThat(contents("block", "state", "history")).isEqualTo(before);
    Settings original = plain();
    original.directory = backup;
    assertIsWhole(original, PIVOT);

    assertThat(report.originals())
        .containsExactlyInAnyOrder(
            temporary.resolve("ledger/block"),
            temporary.resolve("ledger/state"),
            temporary.resolve("ledger/history"),
            backup);
    for (Path path : report.originals()) {
      com.google.common.io.MoreFiles.deleteRecursively(
          path, com.google.common.io.RecursiveDeleteOption.ALLOW_INSECURE);
    }
    String prefix = report.archiveBefore().orElseThrow();
    assertThat(prefix).contains(report.ledgerIdBefore());
    store.reopen().list(prefix).forEach(store.reopen()::delete);
    assertIsWhole(encrypted(), PIVOT);
    assertThat(filesWithMarker()).isEmpty();
  }

  private Map<Database, TreeMap<Bytes, Bytes>> contents(String... homes) {
    Map<Database, TreeMap<Bytes, Bytes>> contents = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      Path home = temporary.resolve("ledger").resolve(homes[database.ordinal()]);
      try (StorageEngine engine = new LandStorage(disk).open(home.resolve("db"), Options.none())) {
        contents.put(database, World.content(engine));
      }
    }
    return contents;
  }

  @Test
  void noMarkerOfAValueLiesInTheNewDatabasesOrTheNewArchive() throws IOException {
    fill(plain(), true);
    Report report = convert(encrypted(), Conversion.encrypt());
    String stamp = ".encrypted-20260504T120000Z";
    contents("block" + stamp, "state" + stamp, "history" + stamp)
        .forEach(
            (database, content) ->
                content.values().forEach(value -> assertThat(text(value)).doesNotContain(MARKER)));
    List<String> ofNew =
        store.reopen().list("").stream()
            .filter(name -> name.contains(report.ledgerIdAfter()))
            .toList();
    assertThat(ofNew).hasSizeGreaterThan(2);
    for (String name : ofNew) {
      assertThat(text(store.reopen().get(name, 0, 1 << 20))).doesNotContain(MARKER);
    }
    assertThat(
            contents("block", "state", "history").get(Database.BLOCK).values().stream()
                .filter(value -> text(value).contains(MARKER)))
        .isNotEmpty();
    assertThat(filesWithMarker()).isEmpty();
  }

  private static String text(Bytes value) {
    return new String(value.toArray(), StandardCharsets.ISO_8859_1);
  }

  private List<Path> filesWithMarker() throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(temporary)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(MARKER)) {
          found.add(file);
        }
      }
    }
    return found;
  }

  /** Elsewhere by way of a link, which is how a database gets a disk of its own. */
  @Test
  void aDatabaseStaysOnItsDisk() throws IOException {
    fill(plain(), true);
    Path disks = Files.createDirectory(temporary.resolve("disks"));
    Path root = temporary.resolve("ledger");
    // A store in memory stays where it was opened, so it is moved by opening it there.
    Layout layout = Layout.read(root);
    Map<Database, Layout.Place> places = new EnumMap<>(layout.databases());
    places.put(Database.STATE, new Layout.Place("memory", disks.resolve("fast").toString()));
    new Layout(places).write(root);
    move(root.resolve("state"), disks.resolve("fast"));
    move(root.resolve("block"), disks.resolve("large"));
    Files.createSymbolicLink(root.resolve("block"), disks.resolve("large"));

    Report report = convert(encrypted(), Conversion.encrypt());
    String stamp = "encrypted-20260504T120000Z";
    assertThat(disks.resolve("large").resolve(stamp).resolve("db")).isDirectory();
    assertThat(disks.resolve("fast." + stamp).resolve("db")).isDirectory();
    assertThat(report.originals())
        .contains(root.resolve("block/db"), root.resolve("block/ids"), disks.resolve("fast"))
        .doesNotContain(root.resolve("block"), root.resolve("block").resolve(stamp));
    assertIsWhole(encrypted(), PIVOT);
    Settings original = plain();
    original.directory = report.backup().orElseThrow();
    assertIsWhole(original, PIVOT);

    convert(encrypted(), Conversion.decrypt());
    assertThat(disks.resolve("large/plain-20260504T120000Z/db")).isDirectory();
    assertThat(disks.resolve("fast.plain-20260504T120000Z/db")).isDirectory();
    assertIsWhole(plain(), PIVOT);
  }

  private void move(Path from, Path to) throws IOException {
    TreeMap<Bytes, Bytes> content;
    try (StorageEngine engine = new LandStorage(disk).open(from.resolve("db"), Options.none())) {
      content = World.content(engine);
    }
    Files.move(from, to);
    Files.delete(to.resolve("db"));
    try (StorageEngine engine = new LandStorage(disk).open(to.resolve("db"), Options.none())) {
      WriteBatch batch = new WriteBatch();
      content.forEach(batch::put);
      engine.write(batch, Durability.DURABLE);
    }
  }

  // ------------------------------------------------------------------------------------ refusals

  @Test
  void aDryRunTellsAndChangesNothing() throws IOException {
    fill(plain(), true);
    List<String> before = names();
    Report plan = convert(encrypted(), Conversion.encrypt().asDryRun());
    assertThat(plan.outcome()).isEqualTo(Outcome.PLANNED);
    assertThat(plan.blocks()).isEqualTo(40);
    assertThat(plan.bytesNeeded()).isPositive();
    assertThat(names()).isEqualTo(before);
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.walk(temporary.resolve("ledger"))) {
      return files.map(Path::toString).sorted().toList();
    }
  }

  @Test
  void whatIsMissingIsNamedAndNothingIsBegun() throws IOException {
    fill(plain(), true);
    List<String> before = names();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> convert(plain(), Conversion.encrypt()))
        .withMessageContaining("encrypt_key");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(
            () ->
                convert(
                    under(settings(disk, new FaultPlan(), null), "aes", Keys.AES),
                    Conversion.encrypt()))
        .withMessageContaining("archive store");
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(
            () ->
                convert(
                    under(
                        settings(disk, new FaultPlan(), new InMemoryArchiveStore()),
                        "aes",
                        Keys.AES),
                    Conversion.encrypt()));
    Settings nowhere = encrypted();
    nowhere.directory = temporary.resolve("nowhere");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> convert(nowhere, Conversion.encrypt()))
        .withMessageContaining("no ledger");
    assertThat(names()).isEqualTo(before);
    assertIsWhole(plain(), PIVOT);
  }

  @Test
  void aLedgerInUseIsRefusedAndOneThatIsCopiedIsInUse() {
    fill(plain(), false);
    Path owned = temporary.resolve("ledger");
    try (Ledger owner = open(plain())) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> convert(encrypted(), Conversion.encrypt()))
          .withMessageContaining("the ledger in " + owned + " is in use by pid")
          .satisfies(e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.LOCKED));
    }
    AtomicInteger refused = new AtomicInteger();
    JobControl control =
        JobControl.none()
            .onProgress(
                progress -> {
                  assertThatExceptionOfType(ConflictException.class)
                      .isThrownBy(() -> open(plain()))
                      .withMessageContaining("the ledger in " + owned + " is in use by pid");
                  refused.incrementAndGet();
                });
    convert(encrypted(), Conversion.encrypt().with(control));
    assertThat(refused).hasPositiveValue();
  }

  @Test
  void whereTheRoomWillNotSufficeNothingIsBegun() throws IOException {
    fill(plain(), true);
    List<String> before = names();
    long needed = convert(encrypted(), Conversion.encrypt().asDryRun()).bytesNeeded();
    Settings small = encrypted();
    small.usableBytes = place -> needed - 1;
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> convert(small, Conversion.encrypt()))
        .withMessageContaining("needs about")
        .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
    assertThat(names()).isEqualTo(before);
    Settings enough = encrypted();
    enough.usableBytes = place -> needed;
    assertThat(convert(enough, Conversion.encrypt()).outcome()).isEqualTo(Outcome.DONE);
  }

  @Test
  void aLedgerOnEnginesHandedInIsRefused() {
    Settings built = plain();
    List<StorageEngine> engines = new ArrayList<>();
    for (Database database : Database.values()) {
      StorageEngine engine =
          new InMemoryStorage(new MemoryDisk())
              .open(temporary.resolve("given-" + database.lowerCaseName()), Options.none());
      engines.add(engine);
      built.engines.put(database, new Settings.BuiltEngine(engine));
    }
    fill(built, false);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> convert(under(built.copy(), "aes", Keys.AES), Conversion.encrypt()))
        .withMessageContaining("handed in");
    assertIsWhole(built, 0);
    engines.forEach(StorageEngine::close);
  }

  @Test
  void aKeyFileIsEmptiedAfterTheSwitchOnly() throws IOException {
    fill(plain(), true);
    Path file =
        Files.createFile(
            temporary.resolve("ledger.key"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    byte[] key = "0123456789abcdeF".getBytes(StandardCharsets.US_ASCII);
    Files.write(file, key);
    Settings keyed = under(plain(), "sm4", file.toString());
    assertThat(convert(keyed, Conversion.encrypt().asDryRun()).outcome())
        .isEqualTo(Outcome.PLANNED);
    assertThat(cancelledAfter(keyed, 8).outcome()).isEqualTo(Outcome.CANCELLED);
    Settings small = keyed.copy();
    small.usableBytes = place -> 0;
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> convert(small, Conversion.encrypt()));
    assertThat(file).hasBinaryContent(key);

    assertThat(convert(keyed, Conversion.encrypt()).outcome()).isEqualTo(Outcome.DONE);
    assertThat(file).isEmptyFile();
    Files.write(file, key);
    assertThat(convert(keyed, Conversion.decrypt()).outcome()).isEqualTo(Outcome.DONE);
    assertThat(file).hasBinaryContent(key);
  }

  @Test
  void anotherKeyThanTheLedgersIsRefused() {
    fill(encrypted(), false);
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> convert(under(plain(), "aes", Keys.OTHER_AES), Conversion.decrypt()));
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> convert(plain(), Conversion.decrypt()));
    assertIsWhole(encrypted(), 0);
  }

  // ------------------------------------------------------------------------------------ damage

  @Test
  void aDamagedBlockIsNotCopied() {
    fill(plain(), false);
    damage("block", 0x03);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> convert(encrypted(), Conversion.encrypt()))
        .withMessageContaining("not what was committed");
    assertThat(Layout.read(temporary.resolve("ledger")).place(Database.BLOCK).directory())
        .isEqualTo("block");
  }

  @ParameterizedTest
  @ValueSource(strings = {"state", "history"})
  void aCopyThatDiffersIsThrownAway(String database) {
    fill(plain(), true);
    damage(database, 0x02);
    int objects = store.reopen().list("").size();
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> convert(encrypted(), Conversion.encrypt()))
        .withMessageContaining("the " + database + " databases differ")
        .withMessageContaining("nothing was switched");
    assertThat(temporary.resolve("ledger/CONVERTING")).doesNotExist();
    assertThat(temporary.resolve("ledger/block.encrypted-20260504T120000Z")).doesNotExist();
    assertThat(store.reopen().list("")).hasSize(objects);
    try (Ledger original = open(plain())) {
      assertThat(original.block(33)).contains(blocks.get(33));
    }
  }

  @Test
  void aCopyThatWasHalfThrownAwayIsMadeAnew() {
    fill(plain(), true);
    damage("state", 0x02);
    FaultPlan plan = new FaultPlan().at(Set.of(Call.STORE_DELETE), 3, Fault.FAIL);
    Settings failing =
        under(settings(disk, plan, new FaultyArchiveStore(store.reopen(), plan)), "aes", Keys.AES);
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> convert(failing, Conversion.encrypt()));
    damage("state", 0x02); // the same bit once more
    assertThat(convert(encrypted(), Conversion.encrypt()).blocks()).isEqualTo(40);
    assertIsWhole(encrypted(), PIVOT);
  }

  /** Changes the last bit of the last value of a table. */
  private void damage(String home, int table) {
    Path db = temporary.resolve("ledger").resolve(home).resolve("db");
    try (StorageEngine engine = new LandStorage(disk).open(db, Options.none())) {
      Bytes key =
          World.content(engine).descendingKeySet().stream()
              .filter(candidate -> candidate.get(0) == table)
              .findFirst()
              .orElseThrow();
      byte[] value = engine.get(key).orElseThrow().toArray();
      value[value.length - 1] ^= 1;
      engine.write(new WriteBatch().put(key, Bytes.wrap(value)), Durability.DURABLE);
    }
  }

  // ------------------------------------------------------------------------------------ going on

  private Report cancelledAfter(Settings settings, int questions) {
    AtomicInteger asked = new AtomicInteger();
    return convert(
        settings,
        (settings.encryption == Encryption.NONE ? Conversion.decrypt() : Conversion.encrypt())
            .with(JobControl.none().cancelledBy(() -> asked.incrementAndGet() > questions)));
  }

  @Test
  void cancelledAtAnyQuestionItGoesOnWhereItWas() {
    fill(plain(), true);
    int questions = 0;
    while (cancelledAfter(encrypted(), questions).outcome() == Outcome.CANCELLED) {
      assertIsWhole(plain(), PIVOT);
      questions++;
    }
    assertThat(questions).isGreaterThan(5);
    assertIsWhole(encrypted(), PIVOT);
  }

  @Test
  void blocksCommittedAndArchivedInBetweenAreCopiedToo() {
    fill(plain(), false);
    assertThat(cancelledAfter(encrypted(), 1).outcome()).isEqualTo(Outcome.CANCELLED);
    Block more =
        Blocks.after(blocks.get(39)).put("more", "token", Bytes.ofUtf8("k1"), Bytes.EMPTY).build();
    try (Ledger going = open(plain())) {
      going.commit(more);
      going.archiver().archive(ArchiveRequest.upTo(25));
    }
    blocks.add(more);
    assertThat(convert(encrypted(), Conversion.encrypt()).blocks()).isLessThanOrEqualTo(41);
    assertIsWhole(encrypted(), 25);
  }

  @Test
  void bodiesRestoredInBetweenAreRestoredInTheCopyToo() {
    fill(plain(), true);
    assertThat(cancelledAfter(encrypted(), 30).outcome()).isEqualTo(Outcome.CANCELLED);
    try (Ledger going = open(plain())) {
      going.restorer().restore(RestoreRequest.downTo(8));
    }
    convert(encrypted(), Conversion.encrypt());
    assertIsWhole(encrypted(), 7);
  }

  @Test
  void aCopyBegunUnderAnotherKeyIsRefusedAndKept() {
    fill(plain(), true);
    cancelledAfter(encrypted(), 3);
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> convert(under(plain(), "aes", Keys.OTHER_AES), Conversion.encrypt()))
        .withMessageContaining("begun under another key");
    assertThat(convert(encrypted(), Conversion.encrypt()).blocks()).isLessThan(40);
    assertIsWhole(encrypted(), PIVOT);
  }

  /** Its height is the same, its blocks are not: the directory holds another ledger by now. */
  @Test
  void aCopyOfAnotherLedgerIsThrownAway() throws IOException {
    fill(plain(), true);
    cancelledAfter(encrypted(), 3);
    Path root = temporary.resolve("ledger");
    byte[] record = Files.readAllBytes(root.resolve("CONVERTING"));
    String other = new String(record, StandardCharsets.UTF_8);
    List<String> lines = new ArrayList<>(other.lines().toList());
    lines.set(3, "00".repeat(16));
    CheckedText.write(root.resolve("CONVERTING"), lines.subList(0, lines.size() - 1));
    Path begun = root.resolve("block.encrypted-20260504T120000Z");
    assertThat(begun).isDirectory();
    assertThat(convert(encrypted(), Conversion.encrypt()).blocks()).isEqualTo(40);
    assertThat(begun).doesNotExist();
    assertIsWhole(encrypted(), PIVOT);
  }

  /** As after a roll back: the ledger is the same, and its blocks are others. */
  @Test
  void aCopyOfAnotherBranchIsMadeAnew() throws IOException {
    fill(plain(), true);
    assertThat(cancelledAfter(encrypted(), 8).outcome()).isEqualTo(Outcome.CANCELLED);
    Path root = temporary.resolve("ledger");
    CopyRecord record = CopyRecord.read(root).orElseThrow();
    for (String gone : List.of("block", "state", "history", "LAYOUT")) {
      com.google.common.io.MoreFiles.deleteRecursively(
          root.resolve(gone), com.google.common.io.RecursiveDeleteOption.ALLOW_INSECURE);
    }
    List<Path> begun = record.homes(root);
    for (Path home : begun) {
      Files.move(home, temporary.resolve(home.getFileName()));
    }
    Files.move(CopyRecord.workshop(root), temporary.resolve("workshop"));
    Files.move(root.resolve("CONVERTING"), temporary.resolve("CONVERTING"));
    Block other =
        Blocks.after(blocks.get(0)).put("other", "token", Bytes.ofUtf8("k"), Bytes.EMPTY).build();
    blocks.subList(1, 40).clear();
    blocks.add(other);
    for (long height = 2; height < 50; height++) {
      blocks.add(Blocks.after(blocks.get(blocks.size() - 1)).build());
    }
    Settings again = plain();
    again.ledgerId = record.from();
    again.store = new Settings.BuiltStore(new InMemoryArchiveStore());
    fill(again, false);
    for (Path home : begun) {
      Files.move(temporary.resolve(home.getFileName()), home);
    }
    Files.move(temporary.resolve("workshop"), CopyRecord.workshop(root));
    Files.move(temporary.resolve("CONVERTING"), root.resolve("CONVERTING"));
    assertThat(convert(encrypted(), Conversion.encrypt()).blocks()).isEqualTo(50);
    assertIsWhole(encrypted(), 0);
  }

  @Test
  void aCopyThatIsNotWholeIsThrownAway() {
    fill(encrypted(), false);
    int questions = 0;
    String copy = "block.plain-20260504T120000Z";
    while (questions < 4) {
      AtomicInteger asked = new AtomicInteger();
      int until = questions++;
      convert(
          encrypted(),
          Conversion.decrypt()
              .with(JobControl.none().cancelledBy(() -> asked.incrementAndGet() > until)));
    }
    damage(copy, 0x03);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> convert(encrypted(), Conversion.decrypt()))
        .withMessageContaining("nothing was switched")
        .withMessageContaining("the copy does not pass");
    assertThat(temporary.resolve("ledger").resolve(copy)).doesNotExist();
    assertThat(convert(encrypted(), Conversion.decrypt()).blocks()).isEqualTo(40);
    assertIsWhole(plain(), 0);
  }

  @Test
  void aDamagedRecordOfACopyIsRefused() throws IOException {
    fill(plain(), false);
    cancelledAfter(encrypted(), 1);
    Path record = temporary.resolve("ledger/CONVERTING");
    byte[] bytes = Files.readAllBytes(record);
    bytes[30] ^= 1;
    Files.write(record, bytes);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> convert(encrypted(), Conversion.encrypt()));
    assertIsWhole(plain(), 0);
  }

  @Test
  void afterTheSwitchOnlyTheRestIsDone() throws IOException {
    fill(plain(), true);
    Report report = convert(encrypted(), Conversion.encrypt());
    // what a kill right after the switch leaves
    Path root = temporary.resolve("ledger");
    Layout original = Layout.read(report.backup().orElseThrow());
    Map<Database, Layout.Place> places = new EnumMap<>(Database.class);
    original
        .databases()
        .forEach(
            (database, place) ->
                places.put(
                    database, new Layout.Place(place.engine(), place.directory().substring(3))));
    new CopyRecord(
            Direction.ENCRYPT,
            "20260504T120000Z",
            Bytes.fromHex(report.ledgerIdBefore()),
            Bytes.fromHex(report.ledgerIdAfter()),
            Layout.read(root),
            new Layout(places))
        .write(root);
    Files.delete(report.backup().orElseThrow().resolve("LAYOUT"));
    Files.createDirectories(CopyRecord.workshop(root));
    Report again = convert(encrypted(), Conversion.encrypt());
    assertThat(again.outcome()).isEqualTo(Outcome.DONE);
    assertThat(again.originals()).isEqualTo(report.originals());
    assertThat(again.archiveBefore()).isEqualTo(report.archiveBefore());
    assertThat(root.resolve("CONVERTING")).doesNotExist();
    assertThat(CopyRecord.workshop(root)).doesNotExist();
    assertIsWhole(encrypted(), PIVOT);
  }

  /** The record of a copy that was switched to names the ledger itself, wherever it is by now. */
  @Test
  void aLedgerThatMovedAfterTheSwitchIsNotTakenForACopyBegunEarlier() throws IOException {
    fill(plain(), true);
    Path root = temporary.resolve("ledger");
    Layout original = Layout.read(root);
    Report report = convert(encrypted(), Conversion.encrypt());
    Map<Database, Layout.Place> moved = new EnumMap<>(Layout.read(root).databases());
    new CopyRecord(
            Direction.ENCRYPT,
            "20260504T120000Z",
            Bytes.fromHex(report.ledgerIdBefore()),
            Bytes.fromHex(report.ledgerIdAfter()),
            Layout.read(root),
            original)
        .write(root);
    moved.computeIfPresent(
        Database.HISTORY,
        (database, place) -> new Layout.Place(place.engine(), "./" + place.directory()));
    new Layout(moved).write(root);
    assertThat(convert(encrypted(), Conversion.decrypt()).outcome()).isEqualTo(Outcome.DONE);
    assertIsWhole(plain(), PIVOT);
    assertThat(root.resolve(moved.get(Database.BLOCK).directory())).isDirectory();
  }

  // ------------------------------------------------------------------------------------ faults

  /** One call after the other goes wrong, the disks and the archive's included. */
  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverChangeGoesWrongTheLedgerIsWholeAndTheNextRunEndsIt(Fault fault) {
    long n = 1;
    while (oneFault(Call.CHANGES, fault, n)) {
      n++;
    }
    assertThat(n).isGreaterThan(30);
  }

  @Test
  void whateverReadGoesWrongTheLedgerIsWholeAndTheNextRunEndsIt() {
    long n = 1;
    while (oneFault(Call.ALL, Fault.FAIL, n)) {
      n += 13;
    }
    assertThat(n).isGreaterThan(30);
  }

  private boolean oneFault(Set<Call> calls, Fault fault, long n) {
    ledger = temporary.resolve(fault + "-" + n);
    MemoryDisk on = new MemoryDisk(n);
    InMemoryArchiveStore archive = new InMemoryArchiveStore();
    fill(settings(on, new FaultPlan(), archive.reopen()), true);
    FaultPlan plan = new FaultPlan().whenCrashing(on::crash).at(calls, n, fault);
    boolean failed = false;
    try {
      convert(
          under(
              settings(on, plan, new FaultyArchiveStore(archive.reopen(), plan)), "aes", Keys.AES),
          Conversion.encrypt());
    } catch (LedgerkeepException | MachineCrash e) {
      failed = true;
    }
    boolean reached = plan.calls(calls) >= n;
    plan.repair();
    boolean switched = !Layout.read(ledger).place(Database.BLOCK).directory().equals("block");
    Settings now = settings(on, new FaultPlan(), archive.reopen());
    assertIsWhole(switched ? under(now, "aes", Keys.AES) : now, PIVOT);
    if (failed) {
      convert(
          under(settings(on, new FaultPlan(), archive.reopen()), "aes", Keys.AES),
          Conversion.encrypt());
    }
    assertIsWhole(under(settings(on, new FaultPlan(), archive.reopen()), "aes", Keys.AES), PIVOT);
    assertThat(ledger.resolve("CONVERTING")).doesNotExist();
    return reached;
  }
}
