package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledger.Jobs.Job;
import io.ledgerkeep.Ledger.Jobs.State;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Migration;
import io.ledgerkeep.Options;
import io.ledgerkeep.Rebuilder;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.audit.AuditLog;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is done to a ledger is in its audit file, and what is done to the file is found. */
final class AuditTest {

  private static final List<Block> BLOCKS =
      SampleChain.builder().seed(9).configAt(h -> h % 10 == 3).build().blocks(60).toList();

  @TempDir Path root;

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();

  @AfterEach
  void silence() {
    FailPoint.tell(null);
  }

  private Path directory() {
    return root.resolve("ledger");
  }

  private Path file() {
    return directory().resolve("block").resolve("audit.log");
  }

  private Ledgerkeep.Builder builder(boolean encrypted) {
    Ledgerkeep.Builder builder =
        Ledgerkeep.builder()
            .directory(directory())
            .storage(new InMemoryStorage(disk), Options.none())
            .archiveStore(store)
            .unarchivedBlocks(10)
            .reserveBytes(0);
    return encrypted
        ? builder.encryption("aes", Options.of("key", "raw:an audited key, "))
        : builder;
  }

  private Ledger filled(boolean encrypted) {
    Ledger ledger = builder(encrypted).open();
    ledger.commitAll(BLOCKS);
    return ledger;
  }

  private static List<String> findings(Ledger ledger) {
    return ledger.verify(Verification.Request.of(Level.STRUCTURE)).findings();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everyJobIsWrittenDown(boolean encrypted) {
    try (Ledger ledger = filled(encrypted)) {
      ledger.archiver().archive(ArchiveRequest.upTo(40));
      ledger.restorer().restore(RestoreRequest.downTo(30));
      ledger.backup().run(Backup.Request.full(root.resolve("backups")));
      ledger.verify(Verification.Request.of(Level.LEDGER));
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(55)));
      ledger
          .archiver()
          .archive(ArchiveRequest.upTo(45).with(JobControl.none().cancelledBy(() -> true)));
      ledger
          .keys()
          .ifPresent(
              keys -> {
                keys.rotate("AES-128-GCM");
                keys.reencrypt(JobControl.none());
              });
    }
    builder(encrypted).rebuilder().rebuild(Rebuilder.Request.all());
    builder(encrypted).rebuilder().rebuild(Rebuilder.Request.upTo(50));
    try (Ledger ledger = builder(encrypted).open()) {
      List<String> told = new ArrayList<>();
      for (Job job : ledger.jobs().list()) {
        told.add(0, job.name() + " " + job.state());
        assertThat(job.by())
            .isEqualTo(System.getProperty("user.name") + "/" + ProcessHandle.current().pid());
        assertThat(job.ended().orElseThrow()).isAfterOrEqualTo(job.begun());
      }
      List<String> expected =
          new ArrayList<>(
              List.of(
                  "archive DONE",
                  "restore DONE",
                  "backup DONE",
                  "verify DONE",
                  "archive FAILED",
                  "archive CANCELLED"));
      if (encrypted) {
        expected.addAll(List.of("rotate DONE", "reencrypt DONE"));
      }
      expected.addAll(List.of("rebuild DONE", "roll-back DONE"));
      assertThat(told).isEqualTo(expected);
      assertThat(findings(ledger)).isEmpty();
    }
  }

  @Test
  void aJobWhoseProcessDiedIsTold() {
    try (Ledger ledger = filled(false)) {
      FailPoint.tell(
          step -> {
            if (step.equals("archive.committed")) {
              disk.crash();
              throw new MachineCrash("the test wanted it so");
            }
          });
      ledger.archiver().archive(ArchiveRequest.upTo(40));
    } catch (RuntimeException | Error e) {
      FailPoint.tell(null);
    }
    // What the process did after the crash was told is taken away: it had died.
    cutAfter("begun");
    try (Ledger ledger = builder(false).open()) {
      Job job = ledger.jobs().list().get(0);
      assertThat(job.state()).isEqualTo(State.INTERRUPTED);
      assertThat(ledger.jobs().resume(job.number(), JobControl.none()).state())
          .isEqualTo(State.DONE);
      assertThat(ledger.archivedHeight()).isEqualTo(40);
      assertThat(findings(ledger)).isEmpty();
    }
  }

  private void cutAfter(String event) {
    try {
      List<String> lines = Files.readAllLines(file());
      Files.write(
          file(), lines.stream().takeWhile(line -> line.contains("]" + event + ",")).toList());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whoHasNotTheKeyCannotWriteAnotherHistory() throws IOException {
    try (Ledger ledger = filled(true)) {
      ledger.archiver().archive(ArchiveRequest.upTo(30));
      ledger.archiver().archive(ArchiveRequest.upTo(40));
      assertThat(findings(ledger)).isEmpty();
      String forged =
          Files.readString(file())
              .replace("to=30", "to=20")
              .replaceAll("previous=[0-9a-f]+", "previous=");
      List<String> lines = new ArrayList<>();
      String previous = "0".repeat(64);
      for (String line : forged.lines().toList()) {
        lines.add(line.replace("previous=", "previous=" + previous));
        previous =
            com.google.common.hash.Hashing.sha256()
                .hashString(lines.get(lines.size() - 1), StandardCharsets.UTF_8)
                .toString();
      }
      Files.write(file(), lines);
      assertThat(findings(ledger).get(0)).contains("authentication code");
      Files.write(file(), lines.stream().map(line -> line.replaceAll(",key=.*", "")).toList());
      assertThat(findings(ledger).get(0)).contains("has no authentication code");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFileThatIsCutOrRemovedIsNoticedAndStaysSo(boolean encrypted) throws IOException {
    try (Ledger ledger = filled(encrypted)) {
      ledger.archiver().archive(ArchiveRequest.upTo(30));
    }
    List<String> lines = Files.readAllLines(file());
    for (List<String> left : List.of(lines.subList(0, 1), List.<String>of())) {
      Files.write(file(), left);
      for (int round = 0; round < 2; round++) {
        try (Ledger ledger = builder(encrypted).open()) {
          assertThat(findings(ledger)).anyMatch(told -> told.contains("are missing"));
        }
      }
    }
    Files.delete(file());
    try (Ledger ledger = builder(encrypted).open()) {
      assertThat(findings(ledger)).isNotEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFileThatIsCutWhileTheLedgerIsOpenIsNoticedByTheNextJob(boolean encrypted)
      throws IOException {
    try (Ledger ledger = filled(encrypted)) {
      ledger.archiver().archive(ArchiveRequest.upTo(30));
      ledger.archiver().archive(ArchiveRequest.upTo(35));
      Files.write(file(), Files.readAllLines(file()).subList(0, 2));
      ledger.archiver().archive(ArchiveRequest.upTo(40));
      assertThat(findings(ledger)).anyMatch(told -> told.contains("are missing"));
    }
    try (Ledger ledger = builder(encrypted).open()) {
      assertThat(findings(ledger)).anyMatch(told -> told.contains("are missing"));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatWasDoneWithoutOpeningIsKnownFromTheNextOpeningOn(boolean encrypted) throws IOException {
    filled(encrypted).close();
    builder(encrypted).rebuilder().rebuild(Rebuilder.Request.upTo(50));
    builder(encrypted).open().close();
    Files.delete(file());
    try (Ledger ledger = builder(encrypted).open()) {
      assertThat(findings(ledger)).anyMatch(told -> told.contains("are missing"));
    }
  }

  @Test
  void aJobIsNotResumedByAFileThatWasChanged() throws IOException {
    try (Ledger ledger = filled(true)) {
      ledger
          .archiver()
          .archive(ArchiveRequest.upTo(40).with(JobControl.none().cancelledBy(() -> true)));
      Files.writeString(file(), Files.readString(file()).replace("to=40", "to=45"));
      assertThatExceptionOfType(IntegrityException.class)
          .isThrownBy(() -> ledger.jobs().resume(1, JobControl.none()));
      assertThat(ledger.archivedHeight()).isZero();
    }
  }

  @Test
  void whoHasAFormerKeyOnlyCannotGoOnWithTheFile() {
    try (Ledger ledger = filled(true)) {
      ledger.archiver().archive(ArchiveRequest.upTo(30));
      ArchiveKeys former =
          ArchiveKeys.of(((OpenLedger) ledger).parts().archiveKeys().all().subList(0, 1));
      ledger.keys().orElseThrow().rotate("AES-128-GCM");
      assertThat(findings(ledger)).isEmpty();
      new AuditLog(file().getParent(), former, Clock.systemUTC())
          .append("info", "archive", "begun", Map.of());
      assertThat(findings(ledger)).anyMatch(told -> told.contains("under archive key 1"));
    }
  }

  @Test
  void whereTheFileCannotBeUsedTheChainGoesOnAndJobsDoNot() throws IOException {
    filled(false).close();
    Files.createDirectory(file());
    try (Ledger ledger = builder(false).open()) {
      assertThat(ledger.height()).isEqualTo(59);
      assertThatExceptionOfType(IntegrityException.class)
          .isThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(40)))
          .withMessageContaining("no regular file");
      assertThat(ledger.archivedHeight()).isZero();
    }
  }

  @Test
  void theFileGoesWithTheLedger() {
    try (Ledger ledger = filled(true)) {
      ledger.archiver().archive(ArchiveRequest.upTo(30));
    }
    Path elsewhere = root.resolve("elsewhere");
    builder(true).migrate(Migration.ofLedger().toDirectory(elsewhere));
    try (Ledger ledger = builder(true).directory(elsewhere).open()) {
      assertThat(ledger.jobs().list().stream().map(Job::name))
          .containsExactly("migrate", "archive");
      assertThat(findings(ledger)).isEmpty();
    }
  }

  @Test
  void aLedgerUnderOtherKeysBeginsAFileOfItsOwn() {
    filled(false).close();
    builder(true)
        .convert(
            new Ledgerkeep.Conversion(
                Ledgerkeep.Conversion.Direction.ENCRYPT, false, JobControl.none()));
    try (Ledger ledger = builder(true).open()) {
      assertThat(ledger.jobs().list().get(0).name()).isEqualTo("encrypt");
      assertThat(ledger.jobs().list().get(0).state()).isEqualTo(State.DONE);
      assertThat(findings(ledger)).isEmpty();
    }
  }

  @Test
  void aLineHasNothingOfBlocks() throws IOException {
    try (Ledger ledger = filled(false)) {
      ledger.archiver().archive(ArchiveRequest.upTo(40));
      String text = Files.readString(file());
      for (Block block : BLOCKS) {
        assertThat(text).doesNotContain(block.hash().hex());
        block.transactions().forEach(tx -> assertThat(text).doesNotContain(tx.id()));
      }
    }
    try (Stream<Path> files = Files.list(directory())) {
      assertThat(files.map(Path::getFileName).map(Path::toString)).doesNotContain("audit.log");
    }
    assertThat(Optional.of(file())).get().matches(Files::exists);
  }
}
