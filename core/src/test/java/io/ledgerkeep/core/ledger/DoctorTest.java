package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep.Diagnosis;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Action;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Finding;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Heights;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Request;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Severity;
import io.ledgerkeep.Migration;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an examination finds in ledgers in plain and encrypted, and what it leaves as it was. */
final class DoctorTest {

  private static final long PIVOT = 20;
  private static final int MOST_CHANGES = 200;
  private static final int METAS = 2;
  private static final int BODIES = 3;

  @TempDir private Path temporary;

  private final List<Block> blocks = chain();
  private MemoryDisk disk = new MemoryDisk();
  private InMemoryArchiveStore store = new InMemoryArchiveStore();
  private boolean encrypted;
  private @Nullable Path directory;

  private static List<Block> chain() {
    List<Block> chain = new ArrayList<>();
    SampleChain.builder()
        .seed(11)
        .transactionsPerBlock(2)
        .configAt(height -> height % 9 == 5)
        .build()
        .blocks(40)
        .forEach(
            sample ->
                chain.add(
                    Blocks.like(sample)
                        .put(
                            "S" + sample.height(),
                            "token",
                            Bytes.ofUtf8("k" + sample.height() % 7),
                            Bytes.ofUtf8("value " + sample.height()))
                        .build()));
    return chain;
  }

  // ------------------------------------------------------------------------------------ settings

  private Settings settings() {
    Settings settings = new Settings();
    settings.directory = root();
    settings.engine = new Settings.ProvidedEngine(new LandStorage(disk), Options.none());
    settings.store = new Settings.BuiltStore(store.reopen());
    settings.reserveBytes = 0;
    settings.unarchivedBlocks = 12L;
    if (encrypted) {
      settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    }
    return settings;
  }

  private Path root() {
    return directory == null ? temporary.resolve("ledger") : directory;
  }

  private void fill() {
    try (Ledger made = new LedgerOpener(settings()).open(true)) {
      made.commitAll(blocks);
      made.archiver().archive(ArchiveRequest.upTo(PIVOT));
    }
  }

  private Ledger open() {
    return new LedgerOpener(settings()).open(false);
  }

  private Diagnosis examine(Settings settings, Request request) {
    Map<Database, TreeMap<Bytes, Bytes>> before = content();
    Diagnosis found = new ExamineJob(settings, request, Clock.systemUTC()).run();
    assertThat(root().resolve("EXAMINING")).doesNotExist();
    if (!request.fix()) {
      assertThat(content()).isEqualTo(before);
    }
    return found;
  }

  private Diagnosis examine() {
    return examine(settings(), Request.sample());
  }

  private void assertFixed() {
    Diagnosis fixed = examine(settings(), Request.sample().withFix());
    assertThat(fixed.worst()).as(fixed.toString()).isEqualTo(Severity.NOTE);
    assertThat(fixed.fixed()).isNotEmpty();
    assertIsWhole();
  }

  private void assertIsWhole() {
    Diagnosis found = examine(settings(), Request.sample().ofEverything());
    assertThat(found.worst()).as(found.toString()).isEqualTo(Severity.NOTE);
    assertThat(found.coherentHeight()).hasValue(found.heights().get(Database.BLOCK));
  }

  private static Finding only(Diagnosis found, Severity severity) {
    List<Finding> of =
        found.findings().stream().filter(finding -> finding.severity() == severity).toList();
    assertThat(of).as(found.toString()).hasSize(1);
    return of.get(0);
  }

  // ------------------------------------------------------------------------------------ content

  private Path store(Database database) {
    return root().resolve(Layout.read(root()).place(database).directory()).resolve("db");
  }

  private Map<Database, TreeMap<Bytes, Bytes>> content() {
    Map<Database, TreeMap<Bytes, Bytes>> content = new EnumMap<>(Database.class);
    for (Database database : Database.values()) {
      if (Files.isDirectory(store(database))) {
        try (StorageEngine engine = new LandStorage(disk).open(store(database), Options.none())) {
          content.put(database, World.content(engine));
        }
      }
    }
    return content;
  }

  private List<Bytes> keys(Database database, Predicate<Bytes> of) {
    return content().get(database).keySet().stream().filter(of).toList();
  }

  private void delete(Database database, Predicate<Bytes> of) {
    WriteBatch batch = new WriteBatch();
    keys(database, of).forEach(batch::delete);
    assertThat(batch.size()).isPositive();
    try (StorageEngine engine = new LandStorage(disk).open(store(database), Options.none())) {
      engine.write(batch, Durability.DURABLE);
    }
  }

  private static Predicate<Bytes> row(int table, long height) {
    return key -> key.get(0) == table && key.asBuffer().getLong(1) == height;
  }

  // ------------------------------------------------------------------------------------ whole

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aWholeLedgerIsToldWholeWithItsArchive(boolean sealing) {
    encrypted = sealing;
    fill();
    Diagnosis found = examine(settings(), Request.sample().ofEverything());
    assertThat(found.findings()).isEmpty();
    assertThat(found.heights().values()).containsOnly(39L);
    assertThat(found.archivedHeight()).hasValue(PIVOT);
    assertThat(found.coherentHeight()).hasValue(39);
    assertThat(found.archive().orElseThrow().blocks()).containsExactly(new Heights(0, PIVOT));
    assertThat(found.checkedBlocks()).isEqualTo(22); // hot ones, genesis and config blocks
  }

  @Test
  void aLedgerInUseIsNotLookedAt() {
    fill();
    try (Ledger open = open()) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> new ExamineJob(settings(), Request.sample(), Clock.systemUTC()).run());
    }
  }

  // ------------------------------------------------------------------------------------ keys

  @Test
  void withoutItsKeyTheHeightsAreToldStill() {
    encrypted = true;
    fill();
    delete(Database.BLOCK, row(METAS, 30));
    encrypted = false;
    Diagnosis found = examine();
    assertThat(found.heights()).containsEntry(Database.BLOCK, 39L);
    assertThat(found.missing()).containsExactly(new Heights(30, 30));
    assertThat(found.findings())
        .anyMatch(finding -> finding.remedy().action() == Action.GIVE_KEY)
        .noneMatch(finding -> finding.remedy().isFix());
    encrypted = true;
    assertThat(examine().missing()).containsExactly(new Heights(30, 30));
  }

  @Test
  void oneOfTheTwoRegistriesIsWrittenAgain() throws IOException {
    encrypted = true;
    fill();
    Files.delete(root().resolve("block/KEYS"));
    assertThat(only(examine(), Severity.UNFINISHED).remedy().action()).isEqualTo(Action.OPEN);
    assertFixed();
    assertThat(root().resolve("block/KEYS")).exists();
  }

  @Test
  void aLedgerWithoutItsRegistryIsNotToldDamaged() throws IOException {
    encrypted = true;
    fill();
    Files.delete(root().resolve("block/KEYS"));
    Files.delete(root().resolve("block/KEYS.copy"));
    Diagnosis found = examine();
    assertThat(found.findings())
        .anyMatch(finding -> finding.what().contains("KEYS and KEYS.copy are missing"));
    assertThat(found.heights()).containsEntry(Database.BLOCK, 39L);
    assertThat(found.findings()).noneMatch(finding -> finding.remedy().isFix());
  }

  // ------------------------------------------------------------------------------------ damage

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void damagedAndMissingBlocksAreNamed(boolean sealing) {
    encrypted = sealing;
    fill();
    Bytes damaged = keys(Database.BLOCK, row(BODIES, 25)).get(0);
    delete(Database.BLOCK, row(METAS, 30));
    delete(Database.BLOCK, row(BODIES, 33));
    disk.damage(real(Database.BLOCK), damaged);
    Diagnosis found = new ExamineJob(settings(), Request.sample(), Clock.systemUTC()).run();
    assertThat(found.missing())
        .containsExactly(new Heights(25, 25), new Heights(30, 30), new Heights(33, 33));
    assertThat(found.coherentHeight()).hasValue(24);
    assertThat(found.findings())
        .filteredOn(finding -> finding.severity() == Severity.DAMAGE)
        .extracting(finding -> finding.remedy().action())
        .containsOnly(Action.REPLACE_BLOCKS);
    assertThat(found.findings().get(0).remedy().height()).isEqualTo(OptionalLong.of(24));
  }

  private Path real(Database database) {
    try {
      return store(database).toRealPath();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** A sample does not meet it; everything does. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRowThatNoBlockAccountsForIsFoundAndMadeRight(boolean sealing) {
    encrypted = sealing;
    fill();
    Bytes some = keys(Database.STATE, key -> key.get(0) == METAS).get(0);
    Bytes value = content().get(Database.STATE).get(some);
    try (StorageEngine engine = new LandStorage(disk).open(store(Database.STATE), Options.none())) {
      byte[] longer = Arrays.copyOf(some.toArray(), some.size() + 1);
      Bytes more = Bytes.wrap(longer);
      engine.write(new WriteBatch().put(more, value), Durability.DURABLE);
    }
    Diagnosis found = examine(settings(), Request.sample().ofEverything());
    Finding finding = only(found, Severity.DAMAGE);
    assertThat(finding.what()).contains("state database has");
    assertThat(finding.remedy().action()).isEqualTo(Action.REBUILD);
    Diagnosis fixed = examine(settings(), Request.sample().ofEverything().withFix());
    assertThat(fixed.worst()).as(fixed.toString()).isEqualTo(Severity.NOTE);
    assertIsWhole();
  }

  @Test
  void anArchiveThatIsAnothersIsAskedFor() {
    fill();
    Settings settings = settings();
    settings.store = new Settings.BuiltStore(new InMemoryArchiveStore());
    Finding finding = only(examine(settings, Request.sample()), Severity.DAMAGE);
    assertThat(finding.part()).isEqualTo("archive");
    assertThat(finding.remedy().action()).isEqualTo(Action.GIVE_ARCHIVE);
    delete(Database.STATE, key -> key.get(0) == METAS);
    Diagnosis found = examine(settings, Request.sample().withFix());
    assertThat(found.fixed()).as("no rebuild without the archive").isEmpty();
  }

  // ------------------------------------------------------------------------------------ jobs

  /** Whatever instant a job dies at: that is no damage, and all of it can be ended. */
  @ParameterizedTest
  @EnumSource
  void whatADeadJobLeftIsNoDamageAndIsEnded(Job job) {
    boolean done = false;
    int unfinished = 0;
    for (int n = 1; !done; n++) {
      begin(job + "-" + n);
      fill();
      FaultPlan plan =
          new FaultPlan().whenCrashing(disk::crash).at(Call.CHANGES, n, Fault.CRASH_AFTER);
      Settings dying = settings();
      dying.engine =
          new Settings.ProvidedEngine(
              new FaultyStorage(new LandStorage(disk), plan), Options.none());
      Throwable death = catchThrowable(() -> job.run.accept(dying));
      done = death == null;
      if (n > MOST_CHANGES) {
        throw new AssertionError(job + " fails by itself", death);
      }
      Diagnosis found = examine();
      assertThat(found.worst()).as(job + " " + n + found).isLessThan(Severity.UNSEEN);
      unfinished += found.worst() == Severity.UNFINISHED ? 1 : 0;
      Diagnosis fixed = examine(settings(), Request.sample().withFix());
      assertThat(fixed.worst()).as(job + " " + n + fixed).isEqualTo(Severity.NOTE);
    }
    assertThat(unfinished).isPositive();
    assertIsWhole();
  }

  private void begin(String name) {
    directory = temporary.resolve(name);
    disk = new MemoryDisk(name.hashCode());
    store = new InMemoryArchiveStore();
  }

  /** What can die. */
  enum Job {
    ARCHIVE(
        settings -> {
          try (Ledger ledger = new LedgerOpener(settings).open(false)) {
            ledger.archiver().archive(ArchiveRequest.upTo(27));
          }
        }),
    RESTORE(
        settings -> {
          try (Ledger ledger = new LedgerOpener(settings).open(false)) {
            ledger.restorer().restore(RestoreRequest.downTo(10));
          }
        }),
    REBUILD(
        settings ->
            new LedgerRebuilder(settings, Clock.systemUTC()).rebuild(Rebuilder.Request.all())),
    ROLL_BACK(
        settings ->
            new LedgerRebuilder(settings, Clock.systemUTC()).rebuild(Rebuilder.Request.upTo(30)));

    private final Consumer<Settings> run;

    Job(Consumer<Settings> run) {
      this.run = run;
    }
  }

  // ------------------------------------------------------------------------------------ files

  @Test
  void aLedgerThatWasBeingMadeIsMadeAgain() throws IOException {
    Files.createDirectories(root());
    Files.write(root().resolve("CREATING"), new byte[0]);
    Diagnosis found = new ExamineJob(settings(), Request.sample(), Clock.systemUTC()).run();
    assertThat(only(found, Severity.UNFINISHED).remedy().action()).isEqualTo(Action.CREATE);
  }

  @Test
  void twoDirectoriesThatMayBeMeantAreNoReasonToWriteALayout() throws IOException {
    fill();
    Path other = Files.createDirectories(root().resolve("state.rebuilt-20260101T000000Z"));
    Files.delete(root().resolve("LAYOUT"));
    Diagnosis found =
        new ExamineJob(settings(), Request.sample().withFix(), Clock.systemUTC()).run();
    assertThat(found.findings())
        .anyMatch(finding -> finding.remedy().action() == Action.PUT_BACK)
        .noneMatch(finding -> finding.remedy().isFix());
    assertThat(root().resolve("LAYOUT")).doesNotExist();
    assertThat(other).exists();
  }

  @Test
  void backupsAreNamedWithWhatBelongsToThem() {
    fill();
    new LedgerRebuilder(settings(), Clock.systemUTC()).rebuild(Rebuilder.Request.all());
    Diagnosis found = examine();
    assertThat(found.findings()).hasSize(1);
    assertThat(only(found, Severity.NOTE).what()).contains("stays until you remove it");
  }

  @Test
  void whatAKilledExaminationLeftGoes() throws IOException {
    fill();
    Files.createDirectories(root().resolve("EXAMINING/block/db"));
    assertThat(examine().findings()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void killedAtAnyStepItIsRunAgain(boolean sealing) throws IOException {
    encrypted = sealing;
    fill();
    MoreFiles.deleteRecursively(store(Database.STATE), RecursiveDeleteOption.ALLOW_INSECURE);
    Files.write(root().resolve("LAYOUT.new"), new byte[1]);
    Request fix = Request.sample().withFix();
    Set<String> steps = CrashAt.stepsOf(() -> examine(settings(), fix));
    steps.removeIf(step -> !step.startsWith("examine."));
    assertThat(steps).hasSize(5);
    for (String step : steps) {
      MoreFiles.deleteRecursively(store(Database.STATE), RecursiveDeleteOption.ALLOW_INSECURE);
      Files.write(root().resolve("LAYOUT.new"), new byte[1]);
      CrashAt.step(step, disk, () -> examine(settings(), fix));
      assertThat(examine(settings(), fix).worst()).as(step).isEqualTo(Severity.NOTE);
      assertIsWhole();
    }
  }

  @Test
  void withoutRoomForTheCopyNothingIsSaidOfTheLedger() {
    fill();
    Settings small = settings();
    small.usableBytes = place -> 10;
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> examine(small, Request.sample().withFix()))
        .withMessageContaining("make room")
        .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
    assertThat(root().resolve("EXAMINING")).doesNotExist();
    assertIsWhole();
  }

  /** Where the disk fills up under the examination, that is no damage, and nothing is repaired. */
  @Test
  void aDiskThatIsFullIsNoDamage() {
    fill();
    Map<Database, TreeMap<Bytes, Bytes>> before = content();
    int n = 1;
    while (meetsFullDisk(n)) {
      assertThat(root().resolve("EXAMINING")).doesNotExist();
      assertThat(content()).isEqualTo(before);
      n++;
    }
    assertThat(n).isGreaterThan(3);
  }

  /** Returns whether so many openings came that one of them found no room. */
  private boolean meetsFullDisk(int opening) {
    FaultPlan plan = new FaultPlan().at(Call.OPEN, opening, Fault.OUT_OF_SPACE);
    Settings settings = settings();
    settings.engine =
        new Settings.ProvidedEngine(new FaultyStorage(new LandStorage(disk), plan), Options.none());
    boolean isTold = false;
    try {
      examine(settings, Request.sample().withFix());
    } catch (StorageException e) {
      isTold = e.isOutOfSpace();
    }
    boolean isMet = plan.calls(EnumSet.of(Call.OPEN)) >= opening;
    assertThat(isTold).isEqualTo(isMet);
    return isMet;
  }

  @Test
  void anEngineThatWasHandedInIsNotLookedAt() {
    fill();
    Settings settings = settings();
    try (StorageEngine other = new InMemoryStorage(disk).open(temporary, Options.none())) {
      settings.engines.put(Database.STATE, new Settings.BuiltEngine(other));
      Diagnosis found = examine(settings, Request.sample());
      assertThat(only(found, Severity.UNSEEN).part()).isEqualTo("state");
      assertThat(found.coherentHeight()).hasValue(39);
    }
  }

  // ------------------------------------------------------------------------------------ elsewhere

  @AfterEach
  void nobodyIsTold() {
    FailPoint.tell(null);
  }

  private Path elsewhere() {
    return temporary.resolve("elsewhere");
  }

  private void migrate() {
    new MigrationJob(settings(), Migration.ofLedger().toDirectory(elsewhere()), Clock.systemUTC())
        .run();
  }

  private void migrateKilledAt(String step) {
    FailPoint.tell(
        place -> {
          if (place.equals(step)) {
            throw new MachineCrash("at " + place);
          }
        });
    assertThatExceptionOfType(MachineCrash.class).isThrownBy(this::migrate);
    FailPoint.tell(null);
  }

  private Diagnosis fix(Path where) {
    Settings settings = settings();
    settings.directory = where;
    return new ExamineJob(settings, Request.sample().withFix(), Clock.systemUTC()).run();
  }

  @Test
  void aMigrationThatWasNotEndedIsToldAndNeitherPlaceIsMadeALedger() {
    fill();
    migrateKilledAt("migrate.verified");

    assertThat(examine().findings())
        .anyMatch(finding -> finding.remedy().action() == Action.MIGRATE);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> fix(elsewhere()))
        .withMessageContaining("ledgerkeep migrate");
    assertThat(elsewhere().resolve("LAYOUT")).doesNotExist();

    migrateKilledAt("migrate.switched"); // in neither
    assertThatExceptionOfType(ConflictException.class).isThrownBy(() -> fix(root()));
    assertThatExceptionOfType(ConfigurationException.class).isThrownBy(() -> fix(elsewhere()));
    migrate();
    directory = elsewhere();
    assertIsWhole();
  }

  @Test
  void aLedgerThatWasMovedIsNotMadeAgainWhereItWas() throws IOException {
    fill();
    migrate();
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> fix(root()))
        .matches(e -> e.reason() == ConflictException.Reason.MOVED);

    Path layout = root().resolve("LAYOUT");
    Files.writeString(layout, "nobody can tell what this was");
    assertThat(fix(root()).findings())
        .anyMatch(finding -> finding.remedy().action() == Action.PUT_BACK);
    assertThat(layout).hasContent("nobody can tell what this was");
    Files.delete(layout);
    fix(root());
    assertThat(layout).doesNotExist();
  }

  @Test
  void aRestoreOfABackupThatWasNotEndedIsNotMadeALedger() throws IOException {
    fill();
    Files.delete(root().resolve("LAYOUT"));
    Files.writeString(root().resolve("RESTORING"), "whatever it says");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> fix(root()))
        .withMessageContaining("restore-backup");
    assertThat(root().resolve("LAYOUT")).doesNotExist();
  }
}
