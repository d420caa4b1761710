package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder.Plan;
import io.ledgerkeep.Rebuilder.Report;
import io.ledgerkeep.Rebuilder.Request;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.failpoint.FailPoint;
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
import io.ledgerkeep.storage.StorageEngineProvider;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever became of state, history and indexes: made anew, they are what the blocks say. */
final class RebuildTest {

  private static final long PIVOT = 20;
  private static final int HASHES = 5;
  private static final int IDS = 6;
  private static final Clock NOON =
      Clock.fixed(Instant.parse("2026-05-04T12:00:00Z"), ZoneOffset.UTC);

  @TempDir Path temporary;

  private final List<Block> blocks = chain(40);
  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private boolean encrypted;
  private @Nullable Path elsewhere;

  private static List<Block> chain(int count) {
    List<Block> chain = new ArrayList<>();
    SampleChain.builder()
        .seed(9)
        .transactionsPerBlock(2)
        .configAt(height -> height % 9 == 5)
        .build()
        .blocks(count)
        .forEach(
            sample -> {
              Blocks next = Blocks.like(sample);
              long h = sample.height();
              next.put("S" + h, "token", Bytes.ofUtf8("k" + h % 7), Bytes.ofUtf8("value " + h));
              if (h % 7 == 6) {
                next.delete("D" + h, "token", Bytes.ofUtf8("k" + h % 7));
              }
              chain.add(next.build());
            });
    return chain;
  }

  // ------------------------------------------------------------------------------------ settings

  private Settings settings() {
    return settings(disk, new FaultPlan(), store.reopen());
  }

  private Settings settings(MemoryDisk on, FaultPlan plan, @Nullable ArchiveStore archive) {
    Settings settings = new Settings();
    settings.directory = root();
    settings.engine =
        new Settings.ProvidedEngine(new FaultyStorage(new LandStorage(on), plan), Options.none());
    settings.store = archive == null ? null : new Settings.BuiltStore(archive);
    settings.reserveBytes = 0;
    settings.readThrough = true;
    if (encrypted) {
      settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    }
    return settings;
  }

  private Path root() {
    return elsewhere == null ? temporary.resolve("ledger") : elsewhere;
  }

  private static Report rebuild(Settings settings, Request request) {
    return new LedgerRebuilder(settings, NOON).rebuild(request);
  }

  private Report rebuild() {
    return rebuild(settings(), Request.all());
  }

  private Plan plan(Settings settings) {
    return new LedgerRebuilder(settings, NOON).plan(Request.all());
  }

  private static Ledger open(Settings settings) {
    return new LedgerOpener(settings).open(false);
  }

  private void fill(boolean archived) {
    fill(settings(), archived);
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
    }
  }

  private void assertIsWhole(boolean archived) {
    assertIsWhole(settings(), archived ? PIVOT : 0);
  }

  // ------------------------------------------------------------------------------------ content

  private TreeMap<Bytes, Bytes> content(Path home) {
    try (StorageEngine engine = new LandStorage(disk).open(home.resolve("db"), Options.none())) {
      return World.content(engine);
    }
  }

  private TreeMap<Bytes, Bytes> content(Database database) {
    return content(root().resolve(Layout.read(root()).place(database).directory()));
  }

  private void change(Database database, Consumer<WriteBatch> change) {
    WriteBatch batch = new WriteBatch();
    change.accept(batch); // which may look at what is there
    Path home = root().resolve(Layout.read(root()).place(database).directory());
    try (StorageEngine engine = new LandStorage(disk).open(home.resolve("db"), Options.none())) {
      engine.write(batch, Durability.DURABLE);
    }
  }

  private List<Bytes> keys(Database database, int table) {
    return content(database).keySet().stream().filter(key -> key.get(0) == table).toList();
  }

  private Map<Database, TreeMap<Bytes, Bytes>> derived() {
    Map<Database, TreeMap<Bytes, Bytes>> derived = new EnumMap<>(Database.class);
    for (Database database : List.of(Database.STATE, Database.HISTORY)) {
      derived.put(database, content(database));
    }
    return derived;
  }

  private void delete(String name) {
    try {
      MoreFiles.deleteRecursively(root().resolve(name), RecursiveDeleteOption.ALLOW_INSECURE);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.walk(root())) {
      return files.map(Path::toString).sorted().toList();
    }
  }

  // ------------------------------------------------------------------------------------ equal

  @ParameterizedTest
  @CsvSource({"false,false", "false,true", "true,false", "true,true"})
  void whatIsMadeAnewEqualsAReplay(boolean sealing, boolean archived) {
    encrypted = sealing;
    fill(archived);
    delete("state");
    delete("history");
    Report report = rebuild();
    assertThat(report.height()).isEqualTo(39);
    assertThat(report.blocks()).isEqualTo(40);
    assertThat(report.archivedBlocks()).isEqualTo(archived ? 18 : 0);
    assertThat(report.indexEntries()).isZero();
    assertThat(report.cancelled()).isFalse();
    assertIsWhole(archived);
    assertThat(root().resolve("REBUILDING")).doesNotExist();
    try (Ledger going = open(settings())) {
      Block next =
          Blocks.after(blocks.get(39)).put("n", "token", Bytes.ofUtf8("k1"), Bytes.EMPTY).build();
      going.commit(next);
      blocks.add(next);
    }
    assertIsWhole(archived);
  }

  /** To the byte, where nothing is sealed: rows are the same, and their records too. */
  @Test
  void theRowsAreThoseOfTheOriginal() {
    fill(true);
    Map<Database, TreeMap<Bytes, Bytes>> before = derived();
    Report report = rebuild();
    assertThat(derived()).isEqualTo(before);
    Path backup = root().resolve("backup-20260504T120000Z-rebuild");
    assertThat(report.backup()).contains(backup);
    assertThat(report.originals())
        .containsExactly(root().resolve("state"), root().resolve("history"), backup);
    assertThat(content(root().resolve("state"))).isEqualTo(before.get(Database.STATE));
    assertThat(Layout.read(root()).place(Database.STATE).directory())
        .isEqualTo("state.rebuilt-20260504T120000Z");
    assertThat(Layout.read(root()).place(Database.BLOCK).directory()).isEqualTo("block");
  }

  @Test
  void theOriginalsComeBackWithTheLayoutThatIsKept() throws IOException {
    fill(true);
    Path backup = rebuild().backup().orElseThrow();
    Files.copy(
        backup.resolve("LAYOUT.before"),
        root().resolve("LAYOUT"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertThat(Layout.read(root()).place(Database.STATE).directory()).isEqualTo("state");
    assertIsWhole(true);
  }

  @Test
  void whatTheReportNamesCanBeRemovedAndNothingElseIsNeeded() throws IOException {
    fill(true);
    for (int round = 0; round < 2; round++) {
      for (Path path : rebuild().originals()) {
        MoreFiles.deleteRecursively(path, RecursiveDeleteOption.ALLOW_INSECURE);
      }
      assertIsWhole(true);
    }
    assertThat(Layout.read(root()).place(Database.STATE).directory())
        .isEqualTo("state.rebuilt-20260504T120000Z-2");
  }

  @Test
  void twoRebuildsInOneSecondTakeOtherNames() {
    fill(false);
    rebuild();
    assertThat(rebuild().backup()).contains(root().resolve("backup-20260504T120000Z-2-rebuild"));
    assertIsWhole(false);
  }

  @Test
  void anEmptyLedgerIsRebuiltToo() {
    new LedgerOpener(settings()).open(true).close();
    delete("state");
    assertThat(rebuild().blocks()).isZero();
    fill(false);
    assertIsWhole(false);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void damagedOriginalsDoNotMatter(boolean sealing) {
    encrypted = sealing;
    fill(true);
    for (Database database : List.of(Database.STATE, Database.HISTORY)) {
      change(
          database,
          batch -> {
            keys(database, 2).forEach(key -> batch.put(key, Bytes.ofUtf8("rubbish")));
            batch.put(keys(database, 1).get(0), Bytes.ofUtf8("no record"));
          });
    }
    assertThatExceptionOfType(LedgerkeepException.class).isThrownBy(() -> open(settings()));
    assertThat(rebuild().blocks()).isEqualTo(40);
    assertIsWhole(true);
  }

  @Test
  void anOlderCopyOfStateIsReplaced() {
    List<Block> all = List.copyOf(blocks);
    blocks.subList(25, 40).clear();
    fill(false);
    TreeMap<Bytes, Bytes> older = content(Database.STATE);
    blocks.addAll(all.subList(25, 40));
    fill(false);
    TreeMap<Bytes, Bytes> newer = content(Database.STATE);
    change(
        Database.STATE,
        batch -> {
          newer.keySet().forEach(batch::delete);
          older.forEach(batch::put);
        });
    assertThatExceptionOfType(IntegrityException.class).isThrownBy(() -> open(settings()));
    rebuild();
    assertThat(content(Database.STATE)).isEqualTo(newer);
    assertIsWhole(false);
  }

  @Test
  void aDatabaseOnAnotherDiskStaysThere() throws IOException {
    fill(false);
    Path fast = temporary.resolve("disks/fast");
    Map<Database, Layout.Place> places = new EnumMap<>(Layout.read(root()).databases());
    places.put(Database.STATE, new Layout.Place("memory", fast.toString()));
    new Layout(places).write(root());
    rebuild();
    assertThat(temporary.resolve("disks/fast.rebuilt-20260504T120000Z/db")).isDirectory();
    assertIsWhole(false);

    Path far = Files.createDirectory(temporary.resolve("far"));
    Files.createSymbolicLink(root().resolve("link"), far);
    places.put(Database.STATE, new Layout.Place("memory", "link"));
    new Layout(places).write(root());
    Report report = rebuild();
    assertThat(far.resolve("rebuilt-20260504T120000Z-2/db")).isDirectory();
    assertThat(report.originals()).doesNotContain(root().resolve("link"));
    assertIsWhole(false);
  }

  // ------------------------------------------------------------------------------------ blocks

  /** Changes the last bit of a body row of a height. */
  private void damageBody(long height) {
    Bytes key =
        keys(Database.BLOCK, 3).stream()
            .filter(candidate -> candidate.asBuffer().getLong(1) == height)
            .findFirst()
            .orElseThrow();
    byte[] value = content(Database.BLOCK).get(key).toArray();
    value[value.length - 1] ^= 1;
    change(Database.BLOCK, batch -> batch.put(key, Bytes.wrap(value)));
  }

  @Test
  void theFirstBadBlockIsNamedAndNothingIsChanged() {
    fill(true);
    TreeMap<Bytes, Bytes> good = content(Database.BLOCK);
    damageBody(37);
    damageBody(34);
    change(Database.BLOCK, batch -> keys(Database.BLOCK, IDS).forEach(batch::delete));
    TreeMap<Bytes, Bytes> before = content(Database.BLOCK);
    Layout layout = Layout.read(root());
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(this::rebuild)
        .withMessageContaining("the first bad block is block 34: it is not what was committed")
        .withMessageContaining("nothing of it was changed");
    assertThat(content(Database.BLOCK)).isEqualTo(before);
    assertThat(Layout.read(root())).isEqualTo(layout);

    change(Database.BLOCK, batch -> good.forEach(batch::put));
    rebuild();
    assertIsWhole(true);
  }

  /** A block that is missing is met while those before it are still looked at. */
  @Test
  void aBadBlockBeforeAMissingOneIsTheFirst() {
    fill(false);
    damageBody(30);
    change(
        Database.BLOCK,
        batch ->
            keys(Database.BLOCK, 3).stream()
                .filter(key -> key.asBuffer().getLong(1) == 33)
                .forEach(batch::delete));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(this::rebuild)
        .withMessageContaining("the first bad block is block 30");
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> rebuild(settings(), Request.all().withoutVerification()))
        .withMessageContaining("the first bad block is block 33");
  }

  @Test
  void aMetaThatDoesNotLinkIsABadBlock() {
    fill(false);
    Bytes key = keys(Database.BLOCK, 2).get(12);
    byte[] meta = content(Database.BLOCK).get(key).toArray();
    meta[36] ^= 1; // within the previous hash: kind, length, 32 bytes, length
    change(Database.BLOCK, batch -> batch.put(key, Bytes.wrap(meta)));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(this::rebuild)
        .withMessageContaining("the first bad block is block 12: it does not name the hash");
  }

  @Test
  void theNodesOwnRuleIsAskedForEveryBlockAndOnlyWhereWanted() {
    fill(true);
    Settings ruled = settings();
    List<Long> asked = new ArrayList<>();
    ruled.verifier =
        block -> {
          asked.add(block.height());
          if (block.height() == 31) {
            throw new IntegrityException("its signature is forged");
          }
        };
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> rebuild(ruled, Request.all()))
        .withMessageContaining("the first bad block is block 31: ")
        .withMessageContaining("its signature is forged");
    assertThat(asked).hasSizeGreaterThan(31);
    asked.clear();
    rebuild(ruled, Request.all().withoutVerification());
    assertThat(asked).isEmpty();
    assertIsWhole(true);
  }

  @Test
  void blocksTakenOnTrustAreNotDigestedButSealsHold() {
    fill(true);
    damageBody(34);
    assertThat(rebuild(settings(), Request.all().withoutVerification()).blocks()).isEqualTo(40);
  }

  @Test
  void aSealThatIsBrokenIsABadBlockWithoutVerificationToo() {
    encrypted = true;
    fill(true);
    damageBody(34);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> rebuild(settings(), Request.all().withoutVerification()))
        .withMessageContaining("the first bad block is block 34");
  }

  /** What was built of blocks on trust is not gone on with when they are to be verified. */
  @Test
  void whatWasBegunOnTrustIsMadeAnewWhenBlocksAreVerified() {
    fill(true);
    assertThat(cancelledAfter(settings(), Request.all().withoutVerification(), 1).cancelled())
        .isTrue();
    assertThat(rebuild().blocks()).isEqualTo(40);
    assertThat(Layout.read(root()).place(Database.STATE).directory())
        .startsWith("state.rebuilt-20260504T120000Z");
    assertIsWhole(true);
  }

  // ------------------------------------------------------------------------------------ indexes

  @ParameterizedTest
  @CsvSource({"false,false", "false,true", "true,false", "true,true"})
  void indexesAreRightAfterwardsWhateverWasWrongWithThem(boolean sealing, boolean archived) {
    encrypted = sealing;
    fill(archived);
    TreeMap<Bytes, Bytes> good = content(Database.BLOCK);
    List<Bytes> ids = keys(Database.BLOCK, IDS);
    List<Bytes> hashes = keys(Database.BLOCK, HASHES);
    change(
        Database.BLOCK,
        batch -> {
          batch.delete(ids.get(3)).delete(ids.get(30)).delete(hashes.get(7));
          batch.put(ids.get(5), good.get(ids.get(6)));
          batch.put(ids.get(11), Bytes.ofUtf8("rubbish"));
          batch.put(hashes.get(2), good.get(hashes.get(9)));
          batch.put(Bytes.ofUtf8("\u0006of no block"), good.get(ids.get(6)));
          batch.put(Bytes.ofUtf8("\u0005of no block"), good.get(hashes.get(6)));
        });
    Report report = rebuild();
    assertThat(report.indexEntries()).isEqualTo(8);
    assertThat(report.backup().orElseThrow().resolve("INDEX")).isNotEmptyFile();
    TreeMap<Bytes, Bytes> now = content(Database.BLOCK);
    assertThat(now.keySet()).isEqualTo(good.keySet());
    if (!sealing) {
      good.entrySet().stream()
          .filter(row -> row.getKey().get(0) == IDS || row.getKey().get(0) == HASHES)
          .forEach(row -> assertThat(now).contains(row));
    }
    assertIsWhole(archived);
    assertThat(rebuild().indexEntries()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void indexesThatAreGoneAreMadeAnewAndNoIdGetsInTwice(boolean archived) {
    fill(archived);
    change(
        Database.BLOCK,
        batch -> {
          keys(Database.BLOCK, IDS).forEach(batch::delete);
          keys(Database.BLOCK, HASHES).forEach(batch::delete);
        });
    delete("block/ids");
    rebuild();
    assertIsWhole(archived);
    try (Ledger going = open(settings())) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(
              () ->
                  going.commit(
                      Blocks.after(blocks.get(39))
                          .put("S3", "n", Bytes.EMPTY, Bytes.EMPTY)
                          .build()));
    }
  }

  /**
   * An entry is saved as it lies there, so that nothing is lost by putting another in its place.
   */
  @Test
  void whatIsReplacedIsSavedAsItWas() throws IOException {
    fill(false);
    Bytes key = keys(Database.BLOCK, IDS).get(4);
    change(Database.BLOCK, batch -> batch.put(key, Bytes.ofUtf8("what was there")));
    Path backup = rebuild().backup().orElseThrow();
    assertThat(
            new String(
                Files.readAllBytes(backup.resolve("INDEX")),
                java.nio.charset.StandardCharsets.ISO_8859_1))
        .startsWith("LKIX")
        .contains(key.slice(1, key.size()).utf8())
        .contains("what was there");
  }

  // ------------------------------------------------------------------------------------ refusals

  @Test
  void aDryRunTellsAndChangesNothing() throws IOException {
    fill(true);
    delete("state");
    List<String> before = names();
    Plan plan = plan(settings());
    assertThat(plan.height()).isEqualTo(39);
    assertThat(plan.blocks()).isEqualTo(40);
    assertThat(plan.archivedBlocks()).isEqualTo(18);
    assertThat(plan.bytesToRead()).isPositive();
    assertThat(plan.bytesNeeded()).containsOnlyKeys(Database.STATE, Database.HISTORY);
    assertThat(plan.bytesNeeded().values()).allMatch(bytes -> bytes > 0);
    assertThat(names()).isEqualTo(before);
  }

  @Test
  void aHeightThatIsNotBelowTheNewestIsAll() {
    fill(true);
    assertThat(rebuild(settings(), Request.upTo(39)).blocks()).isEqualTo(40);
    assertThat(rebuild(settings(), Request.upTo(1_000_000)).height()).isEqualTo(39);
    assertIsWhole(true);
  }

  @Test
  void whatIsMissingIsNamedAndNothingIsBegun() throws IOException {
    fill(true);
    List<String> before = names();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> rebuild(settings(disk, new FaultPlan(), null), Request.all()))
        .withMessageContaining("archive store");
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(
            () ->
                rebuild(
                    settings(disk, new FaultPlan(), new InMemoryArchiveStore()), Request.all()));
    Settings another = settings();
    another.chainId = "chain2";
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> rebuild(another, Request.all()))
        .withMessageContaining("chain2");
    Settings nowhere = settings();
    nowhere.directory = temporary.resolve("nowhere");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> rebuild(nowhere, Request.all()))
        .withMessageContaining("no ledger");
    assertThat(names()).isEqualTo(before);
    assertIsWhole(true);
  }

  @Test
  void theKeyIsNeededAndAnotherRefused() throws IOException {
    encrypted = true;
    fill(true);
    List<String> before = names();
    Settings keyless = settings();
    keyless.encryption = Encryption.NONE;
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> rebuild(keyless, Request.all()));
    Settings other = settings();
    other.encryption = new Encryption.Named("aes", Options.of("key", Keys.OTHER_AES));
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> rebuild(other, Request.all()));
    assertThat(names()).isEqualTo(before);
  }

  @Test
  void aLedgerInUseIsRefusedAndOneThatIsRebuiltIsInUse() {
    fill(false);
    try (Ledger owner = open(settings())) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(this::rebuild)
          .satisfies(e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.LOCKED));
    }
    AtomicInteger refused = new AtomicInteger();
    JobControl control =
        JobControl.none()
            .onProgress(
                progress -> {
                  assertThatExceptionOfType(ConflictException.class)
                      .isThrownBy(() -> open(settings()));
                  refused.incrementAndGet();
                });
    rebuild(settings(), Request.all().with(control));
    assertThat(refused).hasPositiveValue();
  }

  @Test
  void enginesHandedInAreRefused() {
    Settings built = settings();
    try (StorageEngine engine =
        new InMemoryStorage(new MemoryDisk()).open(temporary.resolve("given"), Options.none())) {
      built.engines.put(Database.STATE, new Settings.BuiltEngine(engine));
      fill(built, false);
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> rebuild(built, Request.all()))
          .withMessageContaining("the engine of the state database was handed in");
    }
  }

  @Test
  void whereTheRoomWillNotSufficeNothingIsBegun() throws IOException {
    fill(true);
    List<String> before = names();
    long needed = plan(settings()).bytesNeeded().values().stream().mapToLong(Long::longValue).sum();
    Settings small = settings();
    small.usableBytes = place -> needed - 1;
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> rebuild(small, Request.all()))
        .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
    assertThat(names()).isEqualTo(before);
    Settings enough = settings();
    enough.usableBytes = place -> needed;
    assertThat(rebuild(enough, Request.all()).blocks()).isEqualTo(40);
  }

  // ------------------------------------------------------------------------------------ going on

  private static Report cancelledAfter(Settings settings, Request request, int questions) {
    AtomicInteger asked = new AtomicInteger();
    return rebuild(
        settings,
        request.with(JobControl.none().cancelledBy(() -> asked.incrementAndGet() > questions)));
  }

  @Test
  void cancelledAtAnyQuestionItGoesOnWhereItWas() {
    fill(true);
    int questions = 0;
    while (cancelledAfter(settings(), Request.all(), questions).cancelled()) {
      assertIsWhole(true);
      assertThat(Layout.read(root()).place(Database.STATE).directory()).isEqualTo("state");
      questions++;
    }
    assertThat(questions).isGreaterThan(1);
    assertThat(Layout.read(root()).place(Database.STATE).directory())
        .isEqualTo("state.rebuilt-20260504T120000Z");
    assertIsWhole(true);
  }

  @Test
  void whatWasBuiltOfOlderBlocksIsThrownAway() {
    fill(true);
    assertThat(cancelledAfter(settings(), Request.all(), 1).cancelled()).isTrue();
    Block more =
        Blocks.after(blocks.get(39)).put("more", "token", Bytes.ofUtf8("k1"), Bytes.EMPTY).build();
    try (Ledger going = open(settings())) {
      going.commit(more);
    }
    blocks.add(more);
    assertThat(rebuild().blocks()).isEqualTo(41);
    assertIsWhole(true);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " more"})
  void whatWasBuiltAndDoesNotFitIsThrownAway(String more) {
    fill(true);
    assertThat(cancelledAfter(settings(), Request.all(), 1).cancelled()).isTrue();
    Path begun = RebuildRecord.read(root()).orElseThrow().homes(root()).get(0);
    try (StorageEngine engine = new LandStorage(disk).open(begun.resolve("db"), Options.none())) {
      Bytes last = World.content(engine).lastKey();
      Bytes row = Bytes.ofUtf8("\u0002\u0000\u0001n" + more);
      row = more.isEmpty() ? last : row;
      engine.write(new WriteBatch().put(row, Bytes.ofUtf8("other")), Durability.DURABLE);
    }
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(this::rebuild)
        .withMessageContaining("was thrown away");
    assertThat(begun).doesNotExist();
    assertThat(Layout.read(root()).place(Database.STATE).directory()).isEqualTo("state");
    assertThat(rebuild().blocks()).isEqualTo(40);
    assertIsWhole(true);
  }

  @ParameterizedTest
  @CsvSource({"STATE,changed", "STATE,gone", "STATE,more", "HISTORY,changed", "HISTORY,more"})
  void whatIsNotAsTheReplayLeftItIsThrownAway(Database database, String how) {
    fill(true);
    Map<Path, StorageEngine> opened = new ConcurrentHashMap<>();
    Settings settings = settings();
    settings.engine = new Settings.ProvidedEngine(told(opened), Options.none());
    FailPoint.tell(
        name -> {
          if (name.equals("rebuild.replayed")) {
            RebuildRecord record = RebuildRecord.read(root()).orElseThrow();
            Path home = root().resolve(record.place(database).directory());
            change(Objects.requireNonNull(opened.get(home.resolve("db"))), how);
          }
        });
    try {
      assertThatExceptionOfType(IntegrityException.class)
          .isThrownBy(() -> rebuild(settings, Request.all()))
          .withMessageContaining("was thrown away");
    } finally {
      FailPoint.tell(null);
    }
    assertThat(rebuild().blocks()).isEqualTo(40);
    assertIsWhole(true);
  }

  private StorageEngineProvider told(Map<Path, StorageEngine> opened) {
    LandStorage storage = new LandStorage(disk);
    return new StorageEngineProvider() {
      @Override
      public String name() {
        return storage.name();
      }

      @Override
      public StorageEngine open(Path store, Options options) {
        StorageEngine engine = storage.open(store, options);
        opened.put(store, engine);
        return engine;
      }
    };
  }

  private static void change(StorageEngine engine, String how) {
    Bytes last = World.content(engine).lastKey();
    Bytes other = Bytes.ofUtf8("other");
    engine.write(
        switch (how) {
          case "gone" -> new WriteBatch().delete(last);
          case "changed" -> new WriteBatch().put(last, other);
          default -> new WriteBatch().put(next(last), other);
        },
        Durability.DURABLE);
  }

  private static Bytes next(Bytes key) {
    byte[] next = key.toArray();
    next[next.length - 1]++;
    return Bytes.wrap(next);
  }

  @Test
  void aRecordOfARebuildLongSinceDoneIsNoReasonNotToRebuild() {
    fill(true);
    Layout original = Layout.read(root());
    rebuild();
    new RebuildRecord(
            RebuildRecord.Step.CORRECTING,
            "20260504T120000Z",
            Bytes.fromHex("00".repeat(16)),
            true,
            new RebuildRecord.Newest(3, Bytes.EMPTY),
            Layout.read(root()),
            original)
        .write(root());
    assertThat(rebuild().blocks()).isEqualTo(40);
    assertIsWhole(true);
  }

  /** As after a kill that came after the switch. */
  private void switchedAndNotEnded() {
    Layout original = Layout.read(root());
    rebuild();
    Bytes id;
    try (Ledger whole = open(settings())) {
      id = Bytes.fromHex(whole.status().ledgerId());
    }
    new RebuildRecord(
            RebuildRecord.Step.CORRECTING,
            "20260504T120000Z",
            id,
            true,
            new RebuildRecord.Newest(39, blocks.get(39).hash()),
            Layout.read(root()),
            original)
        .write(root());
  }

  @Test
  void afterTheSwitchOnlyTheRestIsDone() {
    fill(true);
    switchedAndNotEnded();
    delete("backup-20260504T120000Z-rebuild");
    Report report = rebuild();
    assertThat(report.blocks()).isZero();
    assertThat(report.backup().orElseThrow().resolve("LAYOUT.before")).exists();
    assertThat(root().resolve("REBUILDING")).doesNotExist();
    assertIsWhole(true);
  }

  @Test
  void whatWasDamagedAfterTheSwitchIsRebuiltAgain() {
    fill(true);
    switchedAndNotEnded();
    delete(Layout.read(root()).place(Database.STATE).directory());
    assertThat(rebuild().blocks()).isEqualTo(40);
    assertIsWhole(true);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatWasProvenAndIsGoneIsNotSwitchedTo(boolean both) {
    fill(true);
    assertThat(cancelledAfter(settings(), Request.all(), 1).cancelled()).isTrue();
    RebuildRecord record = RebuildRecord.read(root()).orElseThrow();
    record.at(RebuildRecord.Step.CORRECTING).write(root());
    delete(record.place(Database.HISTORY).directory());
    if (both) {
      delete(record.place(Database.STATE).directory());
    }
    assertThat(rebuild().blocks()).isEqualTo(40);
    assertIsWhole(true);
  }

  @ParameterizedTest
  @EnumSource(RebuildRecord.Step.class)
  void anAttemptThatIsOfNoUseIsRemovedAtWhateverStepItWas(RebuildRecord.Step step) {
    fill(true);
    assertThat(cancelledAfter(settings(), Request.all(), 1).cancelled()).isTrue();
    RebuildRecord record = RebuildRecord.read(root()).orElseThrow();
    new RebuildRecord(
            step,
            record.stamp(),
            record.ledgerId(),
            record.verified(),
            new RebuildRecord.Newest(12, blocks.get(12).hash()),
            record.layout(),
            record.original())
        .write(root());
    Path saved = record.replacedRows(root());
    try {
      Files.createDirectories(record.backup(root()));
      Files.writeString(saved, "rows");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    assertThat(rebuild().blocks()).isEqualTo(40);
    assertThat(Files.exists(saved)).isEqualTo(step != RebuildRecord.Step.BUILDING);
    assertIsWhole(true);
  }

  // ------------------------------------------------------------------------------------ faults

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverChangeGoesWrongTheNextRunEndsIt(Fault fault) {
    long n = 1;
    while (oneFault(Call.CHANGES, fault, n)) {
      n++;
    }
    assertThat(n).isGreaterThan(10);
  }

  @Test
  void whateverReadGoesWrongTheNextRunEndsIt() {
    long n = 1;
    while (oneFault(Call.ALL, Fault.FAIL, n)) {
      n += 17;
    }
    assertThat(n).isGreaterThan(100);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void killedAtAnyStepTheNextRunEndsIt(boolean sealing) {
    encrypted = sealing;
    MemoryDisk first = new MemoryDisk();
    InMemoryArchiveStore archived = new InMemoryArchiveStore();
    fillWithoutIndex("first", first, archived);
    Set<String> steps =
        CrashAt.stepsOf(
            () -> rebuild(settings(first, new FaultPlan(), archived.reopen()), Request.all()));
    assertThat(steps).hasSizeGreaterThan(12).contains("rebuild.saved", "rebuild.switched");
    for (String step : steps) {
      MemoryDisk on = new MemoryDisk();
      InMemoryArchiveStore archive = new InMemoryArchiveStore();
      fillWithoutIndex(step, on, archive);
      CrashAt.step(
          step, on, () -> rebuild(settings(on, new FaultPlan(), archive.reopen()), Request.all()));
      assertTheNextRunEndsIt(on, archive);
    }
  }

  private void fillWithoutIndex(String name, MemoryDisk on, InMemoryArchiveStore archive) {
    elsewhere = temporary.resolve(name);
    fill(settings(on, new FaultPlan(), archive.reopen()), true);
    Path home = root().resolve("block");
    try (StorageEngine engine = new LandStorage(on).open(home.resolve("db"), Options.none())) {
      WriteBatch batch = new WriteBatch();
      World.content(engine).keySet().stream()
          .filter(key -> key.get(0) == IDS)
          .forEach(batch::delete);
      engine.write(batch, Durability.DURABLE);
    }
  }

  private void assertTheNextRunEndsIt(MemoryDisk on, InMemoryArchiveStore archive) {
    open(settings(on, new FaultPlan(), archive.reopen())).close();
    rebuild(settings(on, new FaultPlan(), archive.reopen()), Request.all());
    assertIsWhole(settings(on, new FaultPlan(), archive.reopen()), PIVOT);
    assertThat(root().resolve("REBUILDING")).doesNotExist();
  }

  private boolean oneFault(Set<Call> calls, Fault fault, long n) {
    MemoryDisk on = new MemoryDisk(n);
    InMemoryArchiveStore archive = new InMemoryArchiveStore();
    fillWithoutIndex(fault + "-" + n, on, archive);
    FaultPlan plan = new FaultPlan().whenCrashing(on::crash).at(calls, n, fault);
    try {
      rebuild(settings(on, plan, new FaultyArchiveStore(archive.reopen(), plan)), Request.all());
    } catch (LedgerkeepException | MachineCrash e) {
      // what it left is looked at below
    }
    boolean reached = plan.calls(calls) >= n;
    plan.repair();
    assertTheNextRunEndsIt(on, archive);
    return reached;
  }
}
