package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Backup.Outcome;
import io.ledgerkeep.Backup.Report;
import io.ledgerkeep.Backup.Request;
import io.ledgerkeep.Backup.Restoring;
import io.ledgerkeep.Backup.Restoring.Mode;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.backup.BackupSet;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyStorage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Backups and restores that are killed, and backups that are damaged. */
final class BackupFaultTest {

  @TempDir Path temporary;

  @AfterEach
  void nobodyIsTold() {
    FailPoint.tell(null);
  }

  // ------------------------------------------------------------------------------------ kill

  /** Returns how often each place is passed while something runs. */
  private static Map<String, Integer> places(Runnable run) {
    Map<String, Integer> places = new TreeMap<>();
    FailPoint.tell(place -> places.merge(place, 1, Integer::sum));
    try {
      run.run();
    } finally {
      FailPoint.tell(null);
    }
    places
        .keySet()
        .removeIf(place -> !place.startsWith("backup.") && !place.startsWith("restored."));
    return places;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBackupKilledAnywhereGoesOn(boolean encrypted) {
    BackupWorld world = new BackupWorld(temporary, encrypted);
    world.grow(12, 0);
    Map<String, Integer> ofFull = places(world::full);
    world.grow(13, 0);
    Map<String, Integer> ofIncremental = places(world::incremental);
    assertThat(ofFull).hasSizeGreaterThan(7);
    int count = 13;
    int number = 2;
    for (Map.Entry<String, Integer> place : ofIncremental.entrySet()) {
      world.grow(++count, 0);
      number = killed(world, place, number, Request.incremental(world.backups()));
    }
    for (Map.Entry<String, Integer> place : ofFull.entrySet()) {
      world.grow(++count, 0);
      number = killed(world, place, number, Request.full(world.backups()));
      world.grow(++count, 0);
      world.incremental();
      number++;
    }
    world.restore();
    world.assertRestored(count, 0);
    assertThat(world.files(world.backups()))
        .noneMatch(file -> file.toString().endsWith(".part") || file.endsWith("BEGUN"));
  }

  /** Returns the number of the newest backup after one was killed and made again. */
  private static int killed(
      BackupWorld world, Map.Entry<String, Integer> place, int newest, Request request) {
    world.crash(place.getKey(), (place.getValue() + 1) / 2, () -> world.run(request));
    BackupSet set = new BackupSet(world.backups());
    if (set.numbers().size() > newest) { // it was one already; a full one is made once more
      assertThat(place.getKey()).isIn("backup.published", "backup.done");
      return newest + 1;
    }
    Report again = world.run(request);
    assertThat(again.outcome()).isEqualTo(Outcome.DONE);
    assertThat(again.number()).isEqualTo(newest + 1);
    return newest + 1;
  }

  /** In a real kill nothing tidies up: what lies there of it is thrown away. */
  @Test
  void whatAKillLeavesIsWrittenAnewAndWhatWasProvenIsNot() throws IOException {
    BackupWorld world = new BackupWorld(temporary, true);
    world.grow(40, 0);
    world.crash("backup.noted", 7, world::full);
    Path home = world.backups().resolve("000001");
    List<Path> kept = new ArrayList<>(world.files(home));
    kept.removeIf(file -> !file.toString().endsWith(".lkb"));
    assertThat(kept).hasSizeGreaterThan(4);
    Path damaged = kept.remove(3);
    Files.write(damaged, new byte[] {1, 2, 3});
    Files.writeString(home.resolve("blocks-000009.lkb.part"), "torn");
    Files.writeString(home.resolve("MANIFEST.new"), "torn");
    Files.writeString(home.resolve("state-000077.lkb"), "of an earlier moment");
    FileTime longAgo = FileTime.fromMillis(1_000_000);
    for (Path file : kept) {
      Files.setLastModifiedTime(file, longAgo);
    }
    assertThat(world.full().keptBytes()).isPositive();
    for (Path file : kept.subList(0, 3)) {
      assertThat(Files.getLastModifiedTime(file)).as(file.toString()).isEqualTo(longAgo);
    }
    assertThat(world.files(home)).noneMatch(file -> file.toString().matches(".*(new|part|77.lkb)"));
    world.restore();
    world.assertRestored(40, 0);
  }

  @Test
  void afterAKillBlocksThatCameMeanwhileAreInTheBackup() {
    BackupWorld world = new BackupWorld(temporary, false);
    world.grow(30, 0);
    world.crash("backup.complete", 1, world::full);
    world.grow(40, 8);
    assertThat(world.full().keptBytes()).isPositive();
    world.restore();
    world.assertRestored(40, 8);
  }

  /** What was written of a branch that is gone belongs to no other, whatever its height. */
  @Test
  void afterAKillAndARollBackNothingOfTheOldBranchIsKept() {
    BackupWorld world = new BackupWorld(temporary, false);
    world.ledgerId = Bytes.fromHex("000102030405060708090a0b0c0d0e0f");
    world.grow(30, 0);
    world.crash("backup.complete", 1, world::full);
    List<Block> branch = new ArrayList<>(world.blocks.subList(0, 20));
    while (branch.size() < 30) {
      Block last = branch.get(branch.size() - 1);
      branch.add(
          Blocks.after(last)
              .put("B" + last.height(), "token", Bytes.ofUtf8("b"), Bytes.ofUtf8("other"))
              .build());
    }
    try (Ledger ledger = new LedgerOpener(world.settings(temporary.resolve("branch"))).open(true)) {
      ledger.commitAll(branch);
      assertThat(ledger.backup().run(Request.full(world.backups())).keptBytes()).isZero();
    }
    world.restore();
    try (Ledger ledger = world.openRestored()) {
      Replay.of(branch).assertToldBy(ledger);
    }
  }

  /** What a commit that failed left above the newest block is in no backup. */
  @Test
  void halfABlockIsNotBackedUp() {
    BackupWorld world = new BackupWorld(temporary, false);
    world.grow(18, 0);
    FaultPlan plan = new FaultPlan();
    Settings settings = world.settings(world.ledger());
    settings.engine =
        new Settings.ProvidedEngine(
            new FaultyStorage(new LandStorage(world.disk, world.limits), plan), Options.none());
    try (Ledger ledger = new LedgerOpener(settings).open(false)) {
      Blocks many = Blocks.after(world.blocks.get(17));
      for (int i = 0; i < 100; i++) {
        many.transaction("many" + i, Bytes.EMPTY);
      }
      plan.at(FaultPlan.Call.WRITE, plan.calls(FaultPlan.Call.WRITE) + 30, Fault.OUT_OF_SPACE);
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> ledger.commit(many.build()));
      assertThat(ledger.height()).isEqualTo(17);
      ledger.backup().run(Request.full(world.backups()));
    }
    world.restore();
    world.assertRestored(18, 0);
    world.assertSameRows();
  }

  @Test
  void aFileThatTheDiskDoesNotGiveBackIsInNoBackup() {
    BackupWorld world = new BackupWorld(temporary, false);
    world.grow(20, 0);
    FailPoint.tell(
        place -> {
          if (place.equals("backup.synced")) {
            world.files(world.backups()).stream()
                .filter(file -> file.toString().endsWith(".part"))
                .forEach(BackupFaultTest::cut);
          }
        });
    assertThatExceptionOfType(IntegrityException.class).isThrownBy(world::full);
    FailPoint.tell(null);
    assertThat(new BackupSet(world.backups()).numbers()).isEmpty();
    world.full();
    world.restore();
    world.assertRestored(20, 0);
  }

  private static void cut(Path file) {
    try {
      byte[] content = Files.readAllBytes(file);
      Files.write(file, java.util.Arrays.copyOf(content, content.length - 1));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** A backup that was begun and one of another kind have nothing in common. */
  @Test
  void anotherKindOfBackupBeginsAnew() {
    BackupWorld world = new BackupWorld(temporary, false);
    world.grow(20, 0);
    world.full();
    world.grow(30, 0);
    world.crash("backup.complete", 1, world::full);
    assertThat(world.incremental().keptBytes()).isZero();
    world.restore();
    world.assertRestored(30, 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRestoreKilledAnywhereGoesOn(boolean encrypted) throws IOException {
    BackupWorld world = new BackupWorld(temporary, encrypted);
    world.grow(8, 0);
    world.full();
    world.grow(20, 7);
    world.incremental();
    world.grow(24, 13); // above the state that the full one has: dropped at the end
    world.incremental();
    Restoring restoring = Restoring.from(world.backups());
    if (encrypted) {
      restoring = restoring.under("sm4", Options.of("key", Keys.SM4));
    }
    Settings settings = settings(world);
    Restoring wanted = restoring;
    Map<String, Integer> places = places(() -> new RestoreBackupJob(settings, wanted).run());
    assertThat(places).hasSizeGreaterThan(12);
    for (Map.Entry<String, Integer> place : places.entrySet()) {
      remove(world.restored());
      world.crash(
          place.getKey(),
          (place.getValue() + 1) / 2,
          () -> new RestoreBackupJob(settings, wanted).run());
      if (!Files.exists(world.restored().resolve("LAYOUT"))) {
        assertThatExceptionOfType(ConfigurationException.class)
            .as(place.getKey())
            .isThrownBy(() -> new LedgerOpener(underNew(world)).open(true))
            .withMessageContaining("restore-backup");
      }
      if (!place.getKey().equals("restored.done")) {
        assertThat(new RestoreBackupJob(settings, wanted).run().outcome())
            .as(place.getKey())
            .isEqualTo(Outcome.DONE);
      }
      try (Ledger ledger = new LedgerOpener(underNew(world)).open(false)) {
        Replay.of(world.blocks.subList(0, 24)).assertToldBy(ledger);
        assertThat(ledger.archivedHeight()).isEqualTo(13);
      }
      assertThat(world.restored().resolve("RESTORING")).doesNotExist();
    }
  }

  private static Settings settings(BackupWorld world) {
    return world.settings(world.restored());
  }

  private static Settings underNew(BackupWorld world) {
    Settings settings = world.settings(world.restored());
    if (world.encrypted) {
      settings.encryption = new Encryption.Named("sm4", Options.of("key", Keys.SM4));
    }
    return settings;
  }

  private static void remove(Path root) throws IOException {
    com.google.common.io.MoreFiles.deleteRecursively(
        root, com.google.common.io.RecursiveDeleteOption.ALLOW_INSECURE);
  }

  /** What was begun of one backup is no beginning of another. */
  @Test
  void theRestoreOfAnotherBackupBeginsAnew() {
    BackupWorld world = new BackupWorld(temporary, true);
    world.grow(20, 0);
    world.full();
    world.grow(30, 0);
    world.incremental();
    world.crash("restored.prepared", 1, world::restore);
    world.restore(Restoring.from(world.backups()).numbered(1));
    world.assertRestored(20, 0);
  }

  // ------------------------------------------------------------------------------------ damage

  private BackupWorld chained() {
    BackupWorld world = new BackupWorld(temporary, false);
    world.grow(20, 0);
    world.full();
    world.grow(30, 0);
    world.incremental();
    return world;
  }

  private static void assertRefused(BackupWorld world, Class<? extends Exception> as, String told) {
    assertThatExceptionOfType(as).isThrownBy(world::restore).withMessageContaining(told);
    assertThat(world.restored().resolve("LAYOUT")).doesNotExist();
  }

  /** Every file of every backup, at its beginning, in the middle and at its end. */
  @Test
  void aFileOfABackupThatWasChangedOrCutIsNamed() throws IOException {
    BackupWorld world = chained();
    for (Path file : world.files(world.backups())) {
      String name = file.getFileName().toString();
      if (name.equals("LOCK")) {
        continue;
      }
      byte[] good = Files.readAllBytes(file);
      for (int at : new int[] {0, good.length / 2, good.length - 1}) {
        byte[] bad = good.clone();
        bad[at] ^= 4;
        Files.write(file, bad);
        assertRefusedWhole(world, name);
      }
      Files.write(file, java.util.Arrays.copyOf(good, good.length - 1));
      assertRefusedWhole(world, name);
      Files.write(file, good);
    }
    world.restore();
    world.assertRestored(30, 0);
  }

  private static void assertRefusedWhole(BackupWorld world, String name) {
    Restoring look = Restoring.from(world.backups()).as(Mode.PLAN);
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> world.restore(look))
        .withMessageContaining(name)
        .withMessageContaining("put it back from a copy");
  }

  @Test
  void aFileInThePlaceOfAnotherOrGoneIsNamed() throws IOException {
    BackupWorld world = chained();
    Path first = world.backups().resolve("000001/blocks-000001.lkb");
    Path second = world.backups().resolve("000001/blocks-000002.lkb");
    byte[] good = Files.readAllBytes(first);
    Files.copy(second, first, StandardCopyOption.REPLACE_EXISTING);
    assertRefused(world, IntegrityException.class, "blocks-000001.lkb");
    Files.delete(first);
    assertRefused(world, IntegrityException.class, "is missing");
    Files.write(first, good);
    world.restore();
    world.assertRestored(30, 0);
  }

  @Test
  void aRestoreThatMeetsDamageGoesOnWhenTheFileIsPutBack() throws IOException {
    BackupWorld world = chained();
    Path file = world.backups().resolve("000001/state-000001.lkb");
    byte[] good = Files.readAllBytes(file);
    byte[] bad = good.clone();
    bad[bad.length / 2] ^= 1;
    Files.write(file, bad);
    assertRefused(world, IntegrityException.class, "state-000001.lkb");
    Files.write(file, good);
    world.restore();
    world.assertRestored(30, 0);
  }

  @Test
  void backupsThatDoNotBelongTogetherAreRefused() throws IOException {
    BackupWorld world = chained();
    Path first = world.backups().resolve("000001");
    Path away = world.temporary.resolve("away");
    Files.move(first, away);
    assertRefused(world, ConflictException.class, "which is not in");
    BackupWorld other = new BackupWorld(temporary.resolve("other"), false);
    other.grow(20, 0);
    other.full();
    Files.move(other.backups().resolve("000001"), first);
    assertRefused(world, ConflictException.class, "another backup 1");
    remove(first);
    Files.move(away, world.backups().resolve("000009"));
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> world.restore(Restoring.from(world.backups()).numbered(9)))
        .withMessageContaining("give it the name 000001 again");
    Files.move(world.backups().resolve("000009"), first);
    world.restore();
    world.assertRestored(30, 0);
  }

  @Test
  void aManifestOfAnotherFormatIsNamed() throws IOException {
    BackupWorld world = chained();
    Path manifest = world.backups().resolve("000002/MANIFEST");
    String text = Files.readString(manifest);
    Files.writeString(manifest, text.replace("ledgerkeep backup 1", "ledgerkeep backup 2"));
    assertRefused(world, UnsupportedFormatException.class, "this release reads");
  }

  /** Who has no key can make digests fit, and no seal. */
  @Test
  void aManifestThatSomebodyWithoutTheKeyWroteIsRefused() throws IOException {
    BackupWorld world = new BackupWorld(temporary, true);
    world.grow(20, 0);
    world.full();
    Path manifest = world.backups().resolve("000001/MANIFEST");
    List<String> lines = new ArrayList<>(Files.readAllLines(manifest));
    String good = Files.readString(manifest);
    lines.remove(lines.size() - 1);
    lines.removeIf(line -> line.startsWith("file history "));
    rewrite(manifest, lines);
    assertRefused(world, IntegrityException.class, "does not fit its seal");
    lines.removeIf(line -> line.startsWith("seal "));
    rewrite(manifest, lines);
    assertRefused(world, IntegrityException.class, "has no seal");
    Files.writeString(manifest, good);
    world.restore();
    world.assertRestored(20, 0);
  }

  private static void rewrite(Path manifest, List<String> lines) throws IOException {
    String text = String.join("\n", lines) + "\n";
    String digest =
        com.google.common.hash.Hashing.sha256().hashString(text, StandardCharsets.UTF_8).toString();
    Files.writeString(manifest, text + "sha256 " + digest + "\n");
  }

  @Test
  void aBlockThatIsNotWholeIsNotBackedUp() {
    BackupWorld world = new BackupWorld(temporary, false);
    world.grow(20, 0);
    try (StorageEngine engine =
        new LandStorage(world.disk, world.limits)
            .open(world.ledger().resolve("block/db"), Options.none())) {
      WriteBatch batch = new WriteBatch();
      World.content(engine).keySet().stream()
          .filter(key -> key.get(0) == 3 && key.asBuffer().getLong(1) == 7)
          .limit(1)
          .forEach(batch::delete);
      engine.write(batch, Durability.DURABLE);
    }
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(world::full)
        .withMessageContaining("block 7 is not whole");
    assertThat(new BackupSet(world.backups()).numbers()).isEmpty();
  }

  /** An engine that loses or changes what it is given is found out before there is a ledger. */
  @ParameterizedTest
  @ValueSource(strings = {"STATE", "HISTORY", "BLOCK"})
  void whatAnEngineDoesNotGiveBackIsNoLedger(Database database) {
    BackupWorld world = chained();
    FailPoint.tell(
        place -> {
          if (place.equals("restored.compared") && database == Database.BLOCK) {
            spoil(world, database, (byte) 3);
          }
          if (place.equals("restored.loaded") && database != Database.BLOCK) {
            spoil(world, database, (byte) 2);
          }
        });
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(world::restore)
        .withMessageContaining("does not pass and was removed");
    FailPoint.tell(null);
    assertThat(world.files(world.restored())).containsOnly(world.restored().resolve("LOCK"));
    world.restore();
    world.assertRestored(30, 0);
  }

  private static void spoil(BackupWorld world, Database database, byte table) {
    StorageEngine engine =
        world.engines.get(world.restored().resolve(database.lowerCaseName()).resolve("db"));
    WriteBatch batch = new WriteBatch();
    World.content(engine).keySet().stream()
        .filter(key -> key.get(0) == table)
        .limit(1)
        .forEach(batch::delete);
    engine.write(batch, Durability.DURABLE);
  }

  @Test
  void aFullDiskUnderTheRestoreIsToldAndTheRestoreGoesOn() {
    BackupWorld world = chained();
    FaultPlan plan = new FaultPlan();
    Settings settings = world.settings(world.restored());
    settings.engine =
        new Settings.ProvidedEngine(
            new FaultyStorage(new LandStorage(world.disk, world.limits), plan), Options.none());
    plan.at(FaultPlan.Call.WRITE, 6, Fault.OUT_OF_SPACE);
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> new RestoreBackupJob(settings, Restoring.from(world.backups())).run())
        .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
    world.restore();
    world.assertRestored(30, 0);
  }
}
