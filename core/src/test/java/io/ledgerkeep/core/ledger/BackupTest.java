package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Backup.Kind;
import io.ledgerkeep.Backup.Outcome;
import io.ledgerkeep.Backup.Plan;
import io.ledgerkeep.Backup.Report;
import io.ledgerkeep.Backup.Request;
import io.ledgerkeep.Backup.Restored;
import io.ledgerkeep.Backup.Restoring;
import io.ledgerkeep.Backup.Restoring.Mode;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.SampleEncryptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A ledger comes back from its backups as it was, or not at all. */
final class BackupTest {

  @TempDir Path temporary;

  private BackupWorld world(boolean encrypted) {
    return new BackupWorld(temporary, encrypted);
  }

  // ------------------------------------------------------------------------------------ round
  // trips

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFullBackupIsTheLedger(boolean encrypted) {
    BackupWorld world = world(encrypted);
    world.grow(40, 0);
    Report report = world.full();
    assertThat(report.outcome()).isEqualTo(Outcome.DONE);
    assertThat(List.of(report.number(), (int) report.height(), (int) report.blocks()))
        .containsExactly(1, 39, 40);
    Restored restored = world.restore();
    assertThat(restored.outcome()).isEqualTo(Outcome.DONE);
    assertThat(restored.backups()).containsExactly(1);
    world.assertRestored(40, 0);
    world.assertSameRows();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void eachBackupOfAChainIsTheLedgerOfItsTime(boolean encrypted) throws IOException {
    BackupWorld world = world(encrypted);
    world.grow(20, 0);
    world.full();
    world.grow(31, 8);
    Report second = world.incremental();
    assertThat(second.blocks()).isEqualTo(11);
    assertThat(second.stateIncluded()).isFalse();
    world.grow(40, 20);
    Report third = world.incremental();
    assertThat(third.rawBytes()).isLessThan(second.rawBytes() * 2);

    assertThat(world.restore().backups()).containsExactly(1, 2, 3);
    world.assertRestored(40, 20);
    world.assertSameRows();
    remove(world.restored());
    world.restore(Restoring.from(world.backups()).numbered(2));
    world.assertRestored(31, 8);
    remove(world.restored());
    world.restore(Restoring.from(world.backups()).numbered(1));
    world.assertRestored(20, 0);
  }

  private static void remove(Path root) throws IOException {
    com.google.common.io.MoreFiles.deleteRecursively(
        root, com.google.common.io.RecursiveDeleteOption.ALLOW_INSECURE);
  }

  /** What the archive took before any backup had it, state cannot be made of at restore. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whereTheArchiveTookNewBlocksStateIsIncluded(boolean encrypted) {
    BackupWorld world = world(encrypted);
    world.grow(5, 0);
    world.full();
    world.grow(30, 11);
    assertThat(world.incremental().stateIncluded()).isTrue();
    world.grow(40, 28);
    assertThat(world.incremental().stateIncluded()).isFalse();
    world.restore();
    world.assertRestored(40, 28);
    world.assertSameRows();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bodiesThatCameBackFromTheArchiveAreInTheNextBackup(boolean encrypted) {
    BackupWorld world = world(encrypted);
    world.grow(30, 17);
    world.full();
    try (Ledger ledger = world.open()) {
      ledger.restorer().restore(RestoreRequest.downTo(4));
      world.grow(ledger, 33);
    }
    assertThat(world.incremental().blocks()).isEqualTo(14 + 3);
    world.restore();
    world.assertRestored(33, 3);
    world.assertSameRows();
  }

  @Test
  void anArchivedLedgerIsRestoredWithoutItsArchiveAndNeedsItAfterwards() {
    BackupWorld world = world(true);
    world.grow(40, 20);
    world.full();
    Settings alone = world.settings(world.restored());
    alone.store = null;
    alone.readThrough = false;
    Restored restored = new RestoreBackupJob(alone, Restoring.from(world.backups())).run();
    assertThat(restored.uncheckedBlocks()).isEqualTo(18);
    try (Ledger ledger = new LedgerOpener(alone).open(false)) {
      assertThatExceptionOfType(ArchivedException.class).isThrownBy(() -> ledger.block(4));
    }
    world.assertRestored(40, 20);
  }

  @Test
  void aRestoredLedgerGoesOnWithItsArchiveAndItsBackups() {
    BackupWorld world = world(true);
    world.grow(30, 10);
    world.full();
    world.restore();
    try (Ledger restored = world.openRestored()) {
      world.grow(restored, 36);
      restored.archiver().archive(ArchiveRequest.upTo(22));
      restored.backup().run(Request.incremental(world.backups()));
      world.grow(restored, 40);
      restored.restorer().restore(RestoreRequest.downTo(1));
    }
    world.assertRestored(40, 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aLedgerOfNoBlocksOrOfConfigBlocksOnlyComesBack(int count) {
    BackupWorld world = world(false);
    world.grow(count, 0);
    world.full();
    assertThat(world.incremental().outcome()).isEqualTo(Outcome.NOTHING_TO_DO);
    world.restore();
    try (Ledger restored = world.openRestored()) {
      assertThat(restored.height()).isEqualTo(count - 1);
      world.grow(restored, 40);
    }
    world.assertRestored(40, 0);
  }

  @Test
  void anEmptyLedgerIsFollowedByItsFirstBlocks() {
    BackupWorld world = world(true);
    world.grow(0, 0);
    world.full();
    world.grow(30, 12);
    world.incremental();
    world.restore();
    world.assertRestored(30, 12);
  }

  @Test
  void anEncryptorThatIsHandedInWillDo() {
    BackupWorld world = world(false);
    Settings settings = world.settings(world.ledger());
    Settings restored = world.settings(world.restored());
    try (SampleEncryptor encryptor = new SampleEncryptor(1)) {
      settings.encryption = new Encryption.Built(encryptor);
      restored.encryption = settings.encryption;
      try (Ledger ledger = new LedgerOpener(settings).open(true)) {
        world.grow(ledger, 40);
        ledger.backup().run(Request.full(world.backups()));
      }
      assertThatExceptionOfType(KeyUnavailableException.class).isThrownBy(world::restore);
      new RestoreBackupJob(restored, Restoring.from(world.backups())).run();
      try (Ledger ledger = new LedgerOpener(restored).open(false)) {
        Replay.of(world.blocks).assertToldBy(ledger);
      }
    }
  }

  // ------------------------------------------------------------------------------------ meanwhile

  @Test
  void commitsGoOnAndAreNotInTheBackupAndOtherJobsWait() {
    BackupWorld world = world(true);
    world.grow(30, 0);
    AtomicInteger refused = new AtomicInteger();
    try (Ledger ledger = world.open()) {
      JobControl control =
          JobControl.none()
              .onProgress(
                  progress -> {
                    if (ledger.height() < 39) {
                      ledger.commit(world.blocks.get((int) ledger.height() + 1));
                    }
                    assertThatExceptionOfType(ConflictException.class)
                        .isThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(10)))
                        .withMessageContaining("job 'backup' runs");
                    refused.incrementAndGet();
                  });
      Report report = ledger.backup().run(Request.full(world.backups()).with(control));
      assertThat(report.height()).isEqualTo(29);
      assertThat(ledger.height()).isGreaterThan(30);
    }
    assertThat(refused).hasPositiveValue();
    world.restore();
    world.assertRestored(30, 0);
  }

  @Test
  void aRestoreTellsHowManyBlocksItReplays() {
    BackupWorld world = world(true);
    world.grow(20, 0);
    world.full();
    world.grow(30, 0);
    world.incremental();
    List<Progress> replay = new ArrayList<>();
    JobControl control =
        JobControl.none()
            .onProgress(
                progress -> {
                  if (progress.phase().equals("replay")) {
                    replay.add(progress);
                  }
                });
    new RestoreBackupJob(
            world.settings(world.restored()), Restoring.from(world.backups()).with(control))
        .run();
    assertThat(replay)
        .isNotEmpty()
        .allSatisfy(progress -> assertThat(progress.totalBlocks()).isEqualTo(10));
    assertThat(replay.get(replay.size() - 1).doneBlocks()).isEqualTo(10);
    world.assertRestored(30, 0);
  }

  @Test
  void aBackupWaitsForAnotherJob() {
    BackupWorld world = world(false);
    world.grow(30, 0);
    AtomicInteger refused = new AtomicInteger();
    try (Ledger ledger = world.open()) {
      JobControl control =
          JobControl.none()
              .onProgress(
                  progress -> {
                    assertThatExceptionOfType(ConflictException.class)
                        .isThrownBy(() -> ledger.backup().run(Request.full(world.backups())))
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.JOB_RUNNING));
                    refused.incrementAndGet();
                  });
      ledger.archiver().archive(ArchiveRequest.upTo(10).with(control));
    }
    assertThat(refused).hasPositiveValue();
    assertThat(world.backups()).doesNotExist();
  }

  @Test
  void theDirectoryOfTheBackupsHasOneWriter() throws IOException {
    BackupWorld world = world(false);
    world.grow(10, 0);
    Files.createDirectories(world.backups());
    try (OwnerLock other = OwnerLock.take(world.backups(), "the backups in")) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(world::full)
          .withMessageContaining("the backups in " + world.backups() + " is in use by pid");
    }
    world.full();
  }

  @Test
  void aCancelledBackupGoesOnWhereItWas() {
    BackupWorld world = world(true);
    world.grow(40, 0);
    AtomicInteger asked = new AtomicInteger();
    Request request =
        Request.full(world.backups())
            .with(JobControl.none().cancelledBy(() -> asked.incrementAndGet() == 2));
    assertThat(world.run(request).outcome()).isEqualTo(Outcome.CANCELLED);
    assertThatExceptionOfType(ConfigurationException.class).isThrownBy(world::restore);
    assertThat(world.full().keptBytes()).isPositive();
    world.restore();
    world.assertRestored(40, 0);
  }

  @Test
  void aCancelledRestoreGoesOnWhereItWas() {
    BackupWorld world = world(true);
    world.grow(40, 0);
    world.full();
    AtomicInteger asked = new AtomicInteger();
    Restoring restoring =
        Restoring.from(world.backups())
            .with(JobControl.none().cancelledBy(() -> asked.incrementAndGet() == 4));
    assertThat(world.restore(restoring).outcome()).isEqualTo(Outcome.CANCELLED);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(world::openRestored)
        .withMessageContaining("restore-backup");
    assertThat(world.restore(restoring).outcome()).isEqualTo(Outcome.DONE);
    world.assertRestored(40, 0);
  }

  @Test
  void thePlansTellWhatIsDone() {
    BackupWorld world = world(true);
    world.grow(40, 20);
    try (Ledger ledger = world.open()) {
      Plan plan = ledger.backup().plan(Request.full(world.backups()));
      assertThat(plan.kind()).isEqualTo(Kind.FULL);
      assertThat(plan.blocks()).isEqualTo(40);
      assertThat(plan.bodyBytes()).isPositive();
    }
    assertThat(world.backups()).doesNotExist();
    Report report = world.full();
    Restored plan = world.restore(Restoring.from(world.backups()).as(Mode.PLAN));
    assertThat(plan.height()).isEqualTo(39);
    assertThat(plan.bytesRead()).isLessThanOrEqualTo(report.bytes());
    assertThat(world.restored()).doesNotExist();
  }

  // ------------------------------------------------------------------------------------ refused

  @Test
  void whatCannotFollowTheNewestBackupIsRefused() {
    BackupWorld world = world(false);
    world.ledgerId = Bytes.fromHex("000102030405060708090a0b0c0d0e0f");
    world.grow(30, 0);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(world::incremental)
        .withMessageContaining("make a full one first");
    world.full();

    Settings branch = world.settings(temporary.resolve("branch"));
    try (Ledger ledger = new LedgerOpener(branch).open(true)) {
      ledger.commitAll(world.blocks.subList(0, 25));
      assertRefusedAsRolledBack(ledger, world);
      Block another = Blocks.after(world.blocks.get(24)).transaction("x", Bytes.EMPTY).build();
      ledger.commit(another);
      for (Block last = another; ledger.height() < 32; ) {
        last = Blocks.after(last).transaction("x" + last.height(), Bytes.EMPTY).build();
        ledger.commit(last);
      }
      assertRefusedAsRolledBack(ledger, world);
      ledger.backup().run(Request.full(world.backups())); // begins anew
      ledger.backup().run(Request.full(world.backups()));
    }
    world.ledgerId = null;
    Settings foreign = world.settings(temporary.resolve("foreign"));
    try (Ledger ledger = new LedgerOpener(foreign).open(true)) {
      for (Request request :
          List.of(Request.full(world.backups()), Request.incremental(world.backups()))) {
        assertThatExceptionOfType(ConflictException.class)
            .isThrownBy(() -> ledger.backup().run(request))
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.OTHER_CHAIN));
      }
    }
  }

  private static void assertRefusedAsRolledBack(Ledger ledger, BackupWorld world) {
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> ledger.backup().run(Request.incremental(world.backups())))
        .withMessageContaining("not in the ledger any more")
        .withMessageContaining("make a full backup");
  }

  @Test
  void aBackupWithinTheLedgerIsRefused() {
    BackupWorld world = world(false);
    world.grow(3, 0);
    for (Path within :
        List.of(world.ledger().resolve("backups"), world.ledger(), world.temporary)) {
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> world.run(Request.full(within)))
          .withMessageContaining("keep them apart");
    }
  }

  @Test
  void aPlaceThatIsNotEmptyIsLeftAsItIs() throws IOException {
    BackupWorld world = world(false);
    world.grow(10, 0);
    world.full();
    Files.createDirectories(world.restored());
    Files.writeString(world.restored().resolve("diary"), "mine");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(world::restore)
        .withMessageContaining("is not empty (found: diary)");
    Files.delete(world.restored().resolve("diary"));
    Files.createDirectories(world.restored().resolve("state")); // where a disk is mounted
    world.restore();
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(world::restore)
        .withMessageContaining("there is a ledger");
    world.assertRestored(10, 0);
  }

  @Test
  void whereTheRoomWillNotSufficeNothingIsWritten() {
    BackupWorld world = world(false);
    world.grow(40, 0);
    world.full();
    Settings small = world.settings(world.restored());
    small.usableBytes = place -> 1000;
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> new RestoreBackupJob(small, Restoring.from(world.backups())).run())
        .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
    assertThat(world.files(world.restored())).containsOnly(world.restored().resolve("LOCK"));
  }

  // ------------------------------------------------------------------------------------ keys

  @Test
  void theKeyIsAskedForBeforeAnythingIsWritten() {
    BackupWorld world = world(true);
    world.grow(10, 0);
    world.full();
    Settings plain = world.inPlain(world.restored(), null);
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> new RestoreBackupJob(plain, Restoring.from(world.backups())).run());
    plain.encryption = new Encryption.Named("aes", Options.of("key", Keys.OTHER_AES));
    assertThatExceptionOfType(KeyUnavailableException.class)
        .isThrownBy(() -> new RestoreBackupJob(plain, Restoring.from(world.backups())).run());
    assertThat(world.files(world.restored())).containsOnly(world.restored().resolve("LOCK"));
    world.restore();
    world.assertRestored(10, 0);
  }

  @Test
  void aKeyForABackupInPlainIsRefused() {
    BackupWorld world = world(false);
    world.grow(10, 0);
    world.full();
    Settings encrypted = world.inPlain(world.restored(), null);
    encrypted.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> new RestoreBackupJob(encrypted, Restoring.from(world.backups())).run())
        .withMessageContaining("is of a ledger in plain");
  }

  @Test
  void aLedgerIsRestoredUnderAnotherMasterKey() {
    BackupWorld world = world(true);
    world.grow(40, 20);
    world.full();
    world.restore(Restoring.from(world.backups()).under("sm4", Options.of("key", Keys.SM4)));
    assertThatExceptionOfType(KeyUnavailableException.class).isThrownBy(world::openRestored);
    Settings other = world.settings(world.restored());
    other.encryption = new Encryption.Named("sm4", Options.of("key", Keys.SM4));
    try (Ledger ledger = new LedgerOpener(other).open(false)) {
      Replay.of(world.blocks).assertToldBy(ledger);
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      ledger.archiver().archive(ArchiveRequest.upTo(22));
    }
    world.open().close(); // the original is under its own
  }

  /** A registry that came later may not know what an earlier backup is sealed under. */
  @Test
  void aDataKeyThatIsGoneEndsTheChainOfBackups() {
    BackupWorld world = world(true);
    world.grow(20, 0);
    world.full();
    try (Ledger ledger = world.open()) {
      LedgerKeys keys = ledger.keys().orElseThrow();
      keys.rotate("AES-256-GCM");
      world.grow(ledger, 30);
      ledger.backup().run(Request.incremental(world.backups()));
      keys.reencrypt(JobControl.none());
      world.grow(ledger, 35);
      ledger.backup().run(Request.incremental(world.backups()));
    }
    world.restore();
    world.assertRestored(35, 0);
    try (Ledger ledger = world.open()) {
      ledger.keys().orElseThrow().disable(1, JobControl.none());
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> ledger.backup().run(Request.incremental(world.backups())))
          .withMessageContaining("data keys [1]")
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.KEY));
      ledger.backup().run(Request.full(world.backups()));
      ledger.keys().orElseThrow().destroy(1, JobControl.none());
    }
  }

  @Test
  void aNewMasterKeyIsSomethingToBackUp() {
    BackupWorld world = world(true);
    world.grow(20, 0);
    world.full();
    assertThat(world.incremental().outcome()).isEqualTo(Outcome.NOTHING_TO_DO);
    try (Ledger ledger = world.open()) {
      ledger
          .keys()
          .orElseThrow()
          .rewrap("aes", Options.of("key", Keys.OTHER_AES), Optional.empty());
      assertThat(ledger.backup().run(Request.incremental(world.backups())).outcome())
          .isEqualTo(Outcome.DONE);
    }
    assertThatExceptionOfType(KeyUnavailableException.class).isThrownBy(world::restore);
    Settings other = world.settings(world.restored());
    other.encryption = new Encryption.Named("aes", Options.of("key", Keys.OTHER_AES));
    new RestoreBackupJob(other, Restoring.from(world.backups())).run();
    try (Ledger ledger = new LedgerOpener(other).open(false)) {
      Replay.of(world.blocks.subList(0, 20)).assertToldBy(ledger);
    }
  }

  // ------------------------------------------------------------------------------------ rehearsal

  /** A hash need not cover everything, votes for instance: the same one is no proof. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatWasCommittedAgainAfterARollBackOrARestoreNeedsAFullBackup(boolean restores)
      throws IOException {
    BackupWorld world = world(true);
    world.grow(20, 0);
    world.full();
    world.grow(30, 0);
    world.incremental();
    if (restores) {
      remove(world.ledger());
      Restoring first = Restoring.from(world.backups()).numbered(1);
      new RestoreBackupJob(world.settings(world.ledger()), first).run();
    } else {
      new RebuildJob(world.settings(world.ledger()), upTo(19), Clock.systemUTC()).run();
    }
    for (int h = 20; h < 40; h++) {
      Blocks other = Blocks.like(world.blocks.get(h));
      other.additional = Bytes.wrap(new byte[other.additional.size()]);
      world.blocks.set(h, other.build());
    }
    for (int count : new int[] {30, 40}) {
      world.grow(count, 0);
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(world::incremental)
          .withMessageContaining("make a full backup");
    }
    world.full();
    world.restore();
    world.assertRestored(40, 0);
    world.assertSameRows();
  }

  private static Rebuilder.Request upTo(long height) {
    return Rebuilder.Request.upTo(height);
  }

  @Test
  void aRollBackAboveTheNewestBackupEndsNoChain() {
    BackupWorld world = world(false);
    world.grow(20, 0);
    world.full();
    world.grow(30, 0);
    for (int height : new int[] {25, 22, 24, 19}) {
      world.grow(30, 0);
      new RebuildJob(world.settings(world.ledger()), upTo(height), Clock.systemUTC()).run();
    }
    world.grow(30, 0);
    world.incremental();
    world.restore();
    world.assertRestored(30, 0);
    world.assertSameRows();
  }

  @Test
  void nothingFollowsABackupThatCouldNotBeRestored() throws IOException {
    BackupWorld world = world(false);
    world.grow(20, 0);
    world.full();
    world.grow(30, 0);
    world.incremental();
    Path file = world.backups().resolve("000001").resolve("state-000001.lkb");
    byte[] content = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(content, content.length - 1));
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(world::incremental)
        .withMessageContaining("state-000001.lkb");
    remove(world.backups().resolve("000001"));
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(world::incremental)
        .withMessageContaining("make a full one");
    world.full();
    world.restore();
    world.assertRestored(30, 0);
  }

  /** What is asked for may be another thing after a kill, and what is told is what is there. */
  @ParameterizedTest
  @ValueSource(strings = {"restored.verified", "restored.durable", "restored.switched"})
  void aKilledRestoreThatIsAskedForMoreDoesItOrTells(String step) {
    BackupWorld world = world(true);
    world.grow(15, 4);
    world.full();
    world.grow(40, 28);
    Settings withoutArchive = world.settings(world.restored());
    withoutArchive.store = null;
    Restoring restoring = Restoring.from(world.backups());
    dieAt(step, () -> new RestoreBackupJob(withoutArchive, restoring).run());
    Restored restored = world.restore(restoring.addingArchive());
    boolean isThere = step.equals("restored.switched");
    assertThat(restored.height()).isEqualTo(isThere ? 14 : 28);
    assertThat(restored.uncheckedBlocks()).isEqualTo(isThere ? 4 : 0);
    try (Ledger ledger = world.openRestored()) {
      assertThat(ledger.height()).isEqualTo(restored.height());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"restored.verified", "restored.durable", "restored.switched"})
  void whatAKilledRestoreAddedIsTold(String step) {
    BackupWorld world = world(false);
    world.grow(15, 4);
    world.full();
    world.grow(40, 28);
    dieAt(step, () -> world.restore(Restoring.from(world.backups()).addingArchive()));
    Restored restored =
        new RestoreBackupJob(world.inPlain(world.restored(), null), Restoring.from(world.backups()))
            .run();
    assertThat(restored.height()).isEqualTo(28);
    assertThat(restored.addedBlocks()).isEqualTo(14);
    assertThat(restored.uncheckedBlocks()).isPositive();
    world.assertRestored(29, 4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"restored.rewrapped", "restored.durable", "restored.switched"})
  void aRestoreUnderAnotherKeyIsEndedWithThatKeyOnly(String step) {
    BackupWorld world = world(true);
    world.grow(40, 20);
    world.full();
    Restoring under = Restoring.from(world.backups()).under("sm4", Options.of("key", Keys.SM4));
    dieAt(step, () -> world.restore(under));
    assertThatExceptionOfType(KeyUnavailableException.class).isThrownBy(() -> world.restore());
    assertThat(world.restore(under).outcome()).isEqualTo(Outcome.DONE);
    assertThat(world.restored().resolve(RestoreRecord.NAME)).doesNotExist();
  }

  @Test
  void aRehearsalDoesNotEndARestore() {
    BackupWorld world = world(false);
    world.grow(20, 0);
    world.full();
    dieAt("restored.switched", () -> world.restore());
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> world.restore(Restoring.from(world.backups()).as(Mode.REHEARSE)))
        .withMessageContaining("there is a ledger");
    world.restore();
    world.assertRestored(20, 0);
  }

  private static void dieAt(String step, Runnable action) {
    FailPoint.tell(
        place -> {
          if (place.equals(step)) {
            throw new MachineCrash("at " + place);
          }
        });
    try {
      assertThatExceptionOfType(MachineCrash.class).isThrownBy(action::run);
    } finally {
      FailPoint.tell(null);
    }
  }

  @Test
  void aRehearsalLeavesNothing() throws IOException {
    BackupWorld world = world(true);
    world.grow(40, 20);
    world.full();
    Restoring rehearsal = Restoring.from(world.backups()).as(Mode.REHEARSE);
    Restored restored = world.restore(rehearsal);
    assertThat(restored.outcome()).isEqualTo(Outcome.DONE);
    assertThat(restored.uncheckedBlocks()).isZero();
    assertThat(world.restored()).doesNotExist();
    Files.createDirectories(world.restored());
    world.restore(rehearsal);
    assertThat(world.files(world.restored())).containsOnly(world.restored().resolve("LOCK"));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> new RestoreBackupJob(world.settings(world.ledger()), rehearsal).run())
        .withMessageContaining("there is a ledger");
  }

  // ------------------------------------------------------------------------------------ archive

  @Test
  void blocksThatTheArchiveHasAboveTheBackupAreAdded() {
    BackupWorld world = world(true);
    world.grow(15, 4);
    world.full();
    world.grow(40, 28);
    Restored restored = world.restore(Restoring.from(world.backups()).addingArchive());
    assertThat(restored.addedBlocks()).isEqualTo(14);
    assertThat(restored.height()).isEqualTo(28);
    world.assertRestored(29, 4);
    try (Ledger ledger = world.openRestored()) {
      world.grow(ledger, 40);
      ledger.archiver().archive(ArchiveRequest.upTo(28));
    }
    world.assertRestored(40, 28);
  }

  @Test
  void anotherArchiveIsNoticed() {
    BackupWorld world = world(false);
    world.grow(40, 20);
    world.full();
    Settings other = world.inPlain(world.restored(), new InMemoryArchiveStore());
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> new RestoreBackupJob(other, Restoring.from(world.backups())).run())
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.ARCHIVE));
    world.restore();
    world.assertRestored(40, 20);
  }

  // ------------------------------------------------------------------------------------ secrets

  @Test
  void noMarkerOfAValueLiesInABackup() {
    BackupWorld plain = new BackupWorld(temporary.resolve("plain"), false);
    plain.grow(20, 0);
    plain.full();
    assertThat(plain.filesWithMarker(plain.backups())).isNotEmpty();

    BackupWorld world = world(true);
    List<Path> found = new ArrayList<>();
    FailPoint.tell(place -> found.addAll(world.filesWithMarker(temporary.resolve("backups"))));
    try {
      world.grow(20, 0);
      world.full();
      world.grow(30, 8);
      world.incremental();
      world.restore();
    } finally {
      FailPoint.tell(null);
    }
    found.addAll(world.filesWithMarker(world.backups()));
    assertThat(found).isEmpty();
    world.assertRestored(30, 8);
  }
}
