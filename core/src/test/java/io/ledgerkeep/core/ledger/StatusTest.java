package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.ledgerkeep.Backup;
import io.ledgerkeep.Block;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerStatus;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.Archiver;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.audit.JobBook;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.MemoryToken;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a ledger tells of itself, to its process and to others. */
final class StatusTest {

  private static final List<Block> BLOCKS = SampleChain.ofSeed(2).blocks(40).toList();

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void make() {
    world = new World(directory);
  }

  /** Returns the fields of the file, inner ones with a dot, as texts. */
  private Map<String, String> file() throws IOException {
    Map<String, String> fields = new TreeMap<>();
    try (JsonParser json =
        new JsonFactory().createParser(Files.readAllBytes(directory.resolve("status.json")))) {
      assertThat(json.nextToken()).isEqualTo(JsonToken.START_OBJECT);
      readObject(json, "", fields);
      assertThat(json.nextToken()).as("after the end").isNull();
    }
    return fields;
  }

  private static void readObject(JsonParser json, String prefix, Map<String, String> fields)
      throws IOException {
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String name = prefix + json.currentName();
      if (json.nextToken() == JsonToken.START_OBJECT) {
        readObject(json, name + ".", fields);
      } else {
        assertThat(fields.put(name, json.getText())).as(name).isNull();
      }
    }
  }

  @Test
  void theFileTellsWhatTheLedgerTells() throws IOException {
    Settings settings = world.settings();
    settings.chainId = "\"quoted\" \u0001 größer";
    settings.unarchivedBlocks = 12L;
    settings.readThrough = true;
    Instant begin = Instant.now();
    world.open(settings).close();
    LedgerStatus status;
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(BLOCKS);
      status = ledger.status();
    }
    Map<String, String> file = file();
    assertThat(file)
        .containsEntry("open", "false")
        .containsEntry("pid", Long.toString(ProcessHandle.current().pid()))
        .containsEntry("chainId", settings.chainId)
        .containsEntry("ledgerId", status.ledgerId())
        .containsEntry("genesisHash", BLOCKS.get(0).hash().hex())
        .containsEntry("digest", "sha256")
        .containsEntry("formatVersion", "1")
        .containsEntry("compatibilityVersion", "0.1")
        .containsEntry("height", "39")
        .containsEntry("archivedHeight", "0")
        .containsEntry("highestArchivableHeight", "27")
        .containsEntry("unarchivedBlocks", "12")
        .containsEntry("derivedThrough", "39")
        .containsEntry("readThrough", "true")
        .containsEntry("archivePlace", "")
        .containsEntry("job", "")
        .containsKeys("bytesOnDisk.block", "bytesOnDisk.state", "bytesOnDisk.history");
    assertThat(Instant.parse(file.get("since"))).isBetween(begin, Instant.now());
    assertThat(Instant.parse(file.get("written")))
        .isBetween(Instant.parse(file.get("since")), Instant.now());
  }

  @Test
  void theFileTellsWhatIsLeftToTheKey() throws IOException {
    Settings settings = world.settings();
    settings.encryption = new Encryption.Named("aes", Options.of("key", Keys.AES));
    LedgerKeys.Budget budget;
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(BLOCKS);
      budget = ledger.keys().orElseThrow().budget().orElseThrow();
    }
    Map<String, String> file = file();
    assertThat(file)
        .containsEntry("keyBudget.until", budget.until().toString())
        .doesNotContainKey("deviceCalls.left");
    assertThat(Long.parseLong(file.get("keyBudget.values"))).isBetween(1L, budget.values());
    assertThat(Long.parseLong(file.get("keyBudget.bytes"))).isBetween(1L, budget.bytes());
  }

  @Test
  void theFileTellsWhatIsLeftToAKeyInADevice() throws IOException {
    Settings settings = world.settings();
    settings.encryption =
        new Encryption.Provided(
            new MemoryToken(Keys.suite("AES-256-GCM")), Options.of("key", "one", "mode", "direct"));
    LedgerKeys.DirectKey key;
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(BLOCKS);
      key = ledger.keys().orElseThrow().directKeys().get(0);
    }
    assertThat(file())
        .containsEntry("deviceCalls.leased", Long.toString(key.leasedCalls()))
        .containsEntry("deviceCalls.left", Long.toString(key.leftCalls()));
  }

  @Test
  void anOpenLedgerSaysSo() throws IOException {
    try (Ledger ledger = world.open()) {
      assertThat(file()).containsEntry("open", "true").containsEntry("height", "-1");
      assertThat(ledger.status().height()).isEqualTo(-1);
    }
    try (Ledger ledger = world.open()) {
      ledger.commitAll(BLOCKS);
      assertThat(file()).containsEntry("open", "true");
    }
    assertThat(file()).containsEntry("open", "false").containsEntry("height", "39");
    assertThat(directory.resolve("status.json.new")).doesNotExist();
  }

  /** The first commit is less than a second after the opening, which has written the file. */
  @Test
  void theFileIsWrittenAtMostOnceASecond() {
    StatusFile file = new StatusFile(directory);
    assertThat(file.isDue()).isTrue();
    try (Ledger ledger = world.open()) {
      file.write(ledger.status(), ledger.keys(), new JobBook(), true);
      assertThat(file.isDue()).isFalse();
    }
  }

  /** A job that only looked may end after the ledger was closed. */
  @Test
  void onceItSaysThatTheLedgerIsClosedNothingElseIsWritten() throws IOException {
    StatusFile file = new StatusFile(directory);
    try (Ledger ledger = world.open()) {
      file.write(ledger.status(), ledger.keys(), new JobBook(), false);
      file.write(ledger.status(), ledger.keys(), new JobBook(), true);
      assertThat(file()).containsEntry("open", "false");
    }
  }

  @Test
  void aFileThatCannotBeWrittenIsNoFailureOfTheLedger() throws IOException {
    Files.createDirectories(directory.resolve("status.json/in the way"));
    Files.createFile(directory.resolve("CREATING"));
    Files.createDirectories(directory.resolve("status.json.new"));
    try (Ledger ledger = world.open()) {
      ledger.commitAll(BLOCKS);
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.height()).isEqualTo(39);
    }
  }

  @Test
  void theStatusFollowsTheLedger() {
    Settings settings = world.settings();
    settings.checkpointBlocks = 10;
    try (Ledger ledger = world.open(settings)) {
      for (Block block : BLOCKS.subList(0, 25)) {
        ledger.commit(block);
      }
      LedgerStatus status = ledger.status();
      assertThat(status.height()).isEqualTo(24);
      assertThat(status.derivedThrough()).isEqualTo(19);
      assertThat(status.genesisHash()).isEqualTo(BLOCKS.get(0).hash());
      assertThat(status.engines()).containsEntry(Database.STATE, "memory").hasSize(3);
      assertThat(status.bytesOnDisk()).allSatisfy((db, bytes) -> assertThat(bytes).isPositive());
      assertThat(ledger.archivePlace()).isEmpty();
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.status().derivedThrough()).isEqualTo(24);
    }
  }

  // ------------------------------------------------------------------------------------ unarchived

  @ParameterizedTest
  @CsvSource({
    "10, 10",
    "9, 10",
    "0, 10",
    "-5, 10",
    "11, 11",
    "300000, 300000",
    "9223372036854775807, 9223372036854775807"
  })
  void fewerThanTenUnarchivedBlocksBecomeTen(long asked, long kept) {
    Settings settings = world.settings();
    settings.unarchivedBlocks = asked;
    try (Ledger ledger = world.open(settings)) {
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(kept);
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(kept);
      ledger.commitAll(BLOCKS);
      assertThat(ledger.status().highestArchivableHeight()).isEqualTo(Math.max(0, 39 - kept));
    }
  }

  @Test
  void whatIsNotSaidIsKeptAndTheFirstTimeItIsThreeHundredThousand() {
    try (Ledger ledger = world.open()) {
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(300_000);
    }
    Settings settings = world.settings();
    settings.unarchivedBlocks = 77L;
    world.open(settings).close();
    world.open().close();
    try (Ledger ledger = world.open()) {
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(77);
    }
  }

  @Test
  void whoOnlyLooksDoesNotChangeWhatIsKept() {
    Settings settings = world.settings();
    settings.unarchivedBlocks = 77L;
    world.open(settings).close();
    settings.unarchivedBlocks = 78L;
    try (Ledger ledger = world.open(settings)) {
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(78);
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(77);
    }
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(BLOCKS);
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.status().unarchivedBlocks()).isEqualTo(78);
    }
  }

  @Test
  void aJobIsToldAsLongAsItRuns() throws IOException {
    try (Ledger ledger = world.open(archived())) {
      ledger.commitAll(BLOCKS);
      List<String> told = new ArrayList<>();
      ledger
          .archiver()
          .archive(
              ArchiveRequest.upTo(
                      ledger.archiver().due(Archiver.Policy.none().keepBlocks(15)).orElseThrow())
                  .with(JobControl.none().onProgress(any -> told.add(job()))));
      assertThat(told).isNotEmpty().containsOnly("archive");
      assertThat(file())
          .containsEntry("job", "")
          .containsEntry("archivedHeight", Long.toString(ledger.archivedHeight()));
    }
  }

  @Test
  void theFileTellsHowFarAJobIs() {
    try (Ledger ledger = world.open(archived())) {
      ledger.commitAll(BLOCKS);
      List<Map<String, String>> told = new ArrayList<>();
      ledger
          .archiver()
          .archive(
              ArchiveRequest.upTo(20)
                  .with(
                      JobControl.none()
                          .onProgress(
                              now -> {
                                told.add(fileNow());
                                if (told.size() < 3) {
                                  pauseUntilDue();
                                }
                              })));
      assertThat(told)
          .filteredOn(file -> file.containsKey("jobProgress.phase"))
          .anySatisfy(
              file ->
                  assertThat(file)
                      .containsKeys("jobProgress.doneBlocks", "jobProgress.bytes")
                      .containsEntry("jobProgress.totalBlocks", "20"));
      assertThat(fileNow()).doesNotContainKey("jobProgress.phase");
    }
  }

  /** The file is replaced once a second at most. */
  private static void pauseUntilDue() {
    LockSupport.parkNanos(1_100_000_000L);
  }

  private Settings archived() {
    Settings settings = world.settings();
    settings.unarchivedBlocks = 10L;
    settings.store = new Settings.BuiltStore(new InMemoryArchiveStore());
    return settings;
  }

  @Test
  void whatEndedIsTold(@TempDir Path backups) throws IOException {
    Settings settings = archived();
    Instant backedUp;
    Instant verified;
    try (Ledger ledger = world.open(settings)) {
      assertThat(ledger.status().lastBackup()).isEmpty();
      assertThat(ledger.status().lastVerification()).isEmpty();
      assertThat(file()).doesNotContainKeys("lastBackup", "lastVerification");
      ledger.commitAll(BLOCKS);
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      ledger.verify(Verification.Request.of(Level.STRUCTURE));
      assertThat(ledger.status().lastVerification()).as("not all was looked at").isEmpty();

      ledger.verify(Verification.Request.of(Level.LEDGER));
      ledger.backup().run(Backup.Request.full(backups));
      verified = ledger.status().lastVerification().orElseThrow();
      backedUp = ledger.status().lastBackup().orElseThrow();
      assertThat(backedUp).isAfterOrEqualTo(verified);
      assertThat(file())
          .containsEntry("lastVerification", verified.toString())
          .containsEntry("lastBackup", backedUp.toString())
          .containsEntry("jobsEnded.verify done.count", "2")
          .containsEntry("jobsEnded.backup done.count", "1")
          .containsKey("jobsEnded.archive done.millis");
    }
    try (Ledger ledger = world.open(settings)) {
      assertThat(Duration.between(backedUp, ledger.status().lastBackup().orElseThrow()).abs())
          .isLessThan(Duration.ofMinutes(1));
      assertThat(ledger.status().lastVerification()).isPresent();
      assertThat(file()).doesNotContainKey("jobsEnded.backup done.count");
    }
  }

  private Map<String, String> fileNow() {
    try {
      return file();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String job() {
    return fileNow().get("job");
  }
}
