package io.ledgerkeep.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Block;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyStorage;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.MemoryToken;
import io.ledgerkeep.testkit.SampleChain;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the meters of a real ledger say. */
@Timeout(120)
final class LedgerMetricsTest {

  private static final List<Block> BLOCKS =
      SampleChain.builder().seed(3).configAt(height -> height % 8 == 5).build().blocks(40).toList();
  private static final String KEY = "0x000102030405060708090a0b0c0d0e0f";

  @TempDir private Path directory;
  private final MemoryDisk disk = new MemoryDisk();
  private final AtomicLong nanos = new AtomicLong();
  private final FaultPlan plan = new FaultPlan();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  private Ledgerkeep.Builder builder() {
    return withoutArchive().archiveStore(store);
  }

  private Ledgerkeep.Builder withoutArchive() {
    return Ledgerkeep.builder()
        .directory(directory.resolve("ledger"))
        .storage(new FaultyStorage(new InMemoryStorage(disk), plan), Options.none())
        .unarchivedBlocks(10);
  }

  private LedgerMetrics metrics(Ledger ledger) {
    return LedgerMetrics.of(ledger, Clock.systemUTC(), nanos::get);
  }

  private void pass(Duration duration) {
    nanos.addAndGet(duration.toNanos());
  }

  private double value(Measure measure, String... tag) {
    Gauge gauge =
        registry.get(measure.id).tags(tag.length == 0 ? Tags.empty() : Tags.of(tag)).gauge();
    return gauge instanceof TimeGauge time ? time.value(TimeUnit.SECONDS) : gauge.value();
  }

  @Test
  void heightsLagsAndSizesAreThoseOfTheLedger() {
    try (Ledger ledger = builder().open()) {
      metrics(ledger).bindTo(registry);
      assertThat(value(Measure.HEIGHT)).isEqualTo(-1);
      assertThat(value(Measure.ARCHIVE_LAG)).isZero();
      ledger.commitAll(BLOCKS);
      assertThat(value(Measure.HEIGHT)).isEqualTo(39);
      assertThat(value(Measure.DERIVED_LAG)).as("looked up a moment ago").isZero();
      pass(Duration.ofSeconds(5));
      assertThat(value(Measure.DERIVED_LAG))
          .isEqualTo(39 - ledger.status().derivedThrough())
          .isPositive();
      assertThat(value(Measure.ARCHIVE_LAG))
          .isEqualTo(ledger.status().highestArchivableHeight())
          .isPositive();

      ledger.archiver().archive(ArchiveRequest.upTo(20));
      assertThat(value(Measure.ARCHIVED_HEIGHT)).isEqualTo(20);
      pass(Duration.ofSeconds(30));
      assertThat(value(Measure.ARCHIVE_LAG))
          .isEqualTo(ledger.status().highestArchivableHeight() - 20)
          .isPositive();
      assertThat(value(Measure.DERIVED_LAG)).isEqualTo(39 - ledger.status().derivedThrough());
      List<Archive.Segment> segments = ledger.archive().segments();
      assertThat(value(Measure.ARCHIVE_SEGMENTS)).isEqualTo(segments.size()).isPositive();
      assertThat(value(Measure.ARCHIVE_SIZE))
          .isEqualTo(segments.stream().mapToLong(Archive.Segment::storedBytes).sum())
          .isPositive();
      for (Database database : Database.values()) {
        assertThat(value(Measure.DATABASE_SIZE, "database", database.lowerCaseName()))
            .isEqualTo((double) ledger.status().bytesOnDisk().get(database))
            .isPositive();
      }
      assertThat(value(Measure.STORAGE_UP)).isEqualTo(1);
      assertThat(value(Measure.ENCRYPTION_ENABLED)).isZero();
      assertThat(value(Measure.ENCRYPTION_UP)).isNaN();
      assertThat(value(Measure.KEY_BUDGET_VALUES)).isNaN();
      assertThat(value(Measure.KEY_DEVICE_CALLS)).isNaN();
    }
  }

  @Test
  void ledgersOfOneProcessAreToldApart() {
    try (Ledger ledger = builder().open();
        Ledger other =
            Ledgerkeep.builder()
                .directory(directory.resolve("other"))
                .storage(new InMemoryStorage(new MemoryDisk()), Options.none())
                .open()) {
      ledger.commitAll(BLOCKS);
      metrics(ledger).withTags(Tags.of("ledger", "one")).bindTo(registry);
      metrics(other).withTags(Tags.of("ledger", "other")).bindTo(registry);
      assertThat(value(Measure.HEIGHT, "ledger", "one")).isEqualTo(39);
      assertThat(value(Measure.HEIGHT, "ledger", "other")).isEqualTo(-1);
    }
  }

  @Test
  void whatIsNotAtHandIsNotKnownAndTheRestIs() {
    store.setReachable(false);
    try (Ledger ledger = builder().open()) {
      ledger.commitAll(BLOCKS);
      metrics(ledger).bindTo(registry);
      assertThat(value(Measure.ARCHIVE_SEGMENTS)).isNaN();
      assertThat(value(Measure.ARCHIVE_SIZE)).isNaN();
      assertThat(value(Measure.HEIGHT)).isEqualTo(39);
      assertThat(value(Measure.STORAGE_UP)).isEqualTo(1);
    }
  }

  @Test
  void aDatabaseThatDoesNotAnswerIsDown() {
    try (Ledger ledger = builder().open()) {
      ledger.commitAll(BLOCKS);
      metrics(ledger).bindTo(registry);
      assertThat(value(Measure.STORAGE_UP)).isEqualTo(1);
      plan.from(Call.GET, 1, Fault.FAIL);
      pass(Duration.ofSeconds(5));
      assertThat(value(Measure.STORAGE_UP)).isZero();
      assertThat(value(Measure.DATABASE_SIZE, "database", "block")).isNaN();
      assertThat(value(Measure.HEIGHT)).isEqualTo(39);
      plan.repair();
      pass(Duration.ofSeconds(5));
      assertThat(value(Measure.STORAGE_UP)).isEqualTo(1);
    }
  }

  @Test
  void aClosedLedgerIsNotANumber() {
    Ledger ledger = builder().open();
    ledger.commitAll(BLOCKS);
    metrics(ledger).withDisk("ledger", directory).bindTo(registry);
    assertThat(registry.getMeters()).hasSizeGreaterThan(15);
    assertThat(value(Measure.DATABASE_SIZE, "database", "block")).isPositive();
    ledger.close();
    for (Meter meter : registry.getMeters()) {
      if (meter instanceof Gauge gauge) {
        assertThat(gauge.value()).as(meter.getId().toString()).isNaN();
      } else {
        assertThat(((FunctionTimer) meter).count()).isZero();
      }
    }
  }

  @Test
  void theNextOpeningTakesOverWhatTheLastOneClosed() {
    for (int opening = 0; opening < 2; opening++) {
      try (Ledger ledger = builder().open();
          LedgerMetrics metrics = metrics(ledger)) {
        metrics.bindTo(registry);
        assertThat(value(Measure.HEIGHT)).isEqualTo(-1);
      }
      assertThat(registry.getMeters()).isEmpty();
    }
  }

  /** A registry holds on to a function only, and to what that is of only if it is told to. */
  @Test
  void metersLiveWithoutWhoBoundThem() {
    try (Ledger ledger = encrypted().open()) {
      ledger.commitAll(BLOCKS);
      metrics(ledger).bindTo(registry);
      System.gc();
      assertThat(value(Measure.HEIGHT)).isEqualTo(39);
      assertThat(value(Measure.KEY_BUDGET_TIME)).isPositive();
    }
  }

  private Ledgerkeep.Builder encrypted() {
    return builder().encryption("aes", Options.of("key", KEY));
  }

  @Test
  void theBudgetOfTheKeyIsTold() {
    try (Ledger ledger = encrypted().open()) {
      ledger.commitAll(BLOCKS);
      LedgerKeys.Budget budget = ledger.keys().orElseThrow().budget().orElseThrow();
      Instant tenBefore = budget.until().minusSeconds(10);
      LedgerMetrics.of(ledger, Clock.fixed(tenBefore, ZoneOffset.UTC), nanos::get).bindTo(registry);
      assertThat(value(Measure.KEY_BUDGET_VALUES)).isEqualTo(budget.values()).isPositive();
      assertThat(value(Measure.KEY_BUDGET_BYTES)).isEqualTo(budget.bytes()).isPositive();
      assertThat(value(Measure.KEY_BUDGET_TIME)).isEqualTo(10);
      assertThat(value(Measure.ENCRYPTION_ENABLED)).isEqualTo(1);
      assertThat(value(Measure.ENCRYPTION_UP)).isEqualTo(1);
      assertThat(value(Measure.KEY_DEVICE_CALLS)).as("none is in a device").isNaN();
    }
  }

  @Test
  void aTokenThatIsGoneIsDown() {
    MemoryToken token = new MemoryToken(suite());
    try (Ledger ledger =
        builder().encryption(token, Options.of("key", "one", "mode", "direct")).open()) {
      ledger.commitAll(BLOCKS);
      metrics(ledger).bindTo(registry);
      assertThat(value(Measure.ENCRYPTION_UP)).isEqualTo(1);
      assertThat(value(Measure.KEY_DEVICE_CALLS))
          .isEqualTo(ledger.keys().orElseThrow().directKeys().get(0).leftCalls())
          .isPositive();
      token.pullOut();
      pass(Duration.ofSeconds(5));
      assertThat(value(Measure.ENCRYPTION_UP)).isZero();
      assertThat(value(Measure.STORAGE_UP)).as("the databases are well").isEqualTo(1);
      token.putBack();
      pass(Duration.ofSeconds(5));
      assertThat(value(Measure.ENCRYPTION_UP)).isEqualTo(1);
    }
  }

  /** What was sealed before in software can be read without the token, and says nothing of it. */
  @Test
  void itIsTheNewestKeyThatMustBeThere() {
    MemoryToken token = new MemoryToken(suite());
    try (Ledger ledger =
        builder().encryption(token, Options.of("key", "one", "mode", "direct")).open()) {
      LedgerKeys keys = ledger.keys().orElseThrow();
      keys.rotate("AES-256-GCM");
      ledger.commitAll(BLOCKS.subList(0, 36));
      keys.rotate("AES-256-GCM-DIRECT");
      ledger.commitAll(BLOCKS.subList(36, 40));
      metrics(ledger).bindTo(registry);
      token.pullOut();
      assertThat(ledger.status().height()).isEqualTo(39);
      assertThat(value(Measure.ENCRYPTION_UP)).isZero();
      token.putBack();
    }
  }

  private static CipherSuite suite() {
    return ServiceLoader.load(EncryptorProvider.class).stream()
        .flatMap(provider -> provider.get().suites().stream())
        .filter(suite -> suite.name().equals("AES-256-GCM"))
        .findFirst()
        .orElseThrow();
  }

  private FunctionTimer ended(String job, String state) {
    return registry.get(Measure.JOBS_ENDED.id).tags("job", job, "state", state).functionTimer();
  }

  @Test
  void jobsThatEndedAreCountedByNameAndEnd() {
    try (Ledger ledger = encrypted().open()) {
      ledger.commitAll(BLOCKS);
      metrics(ledger).bindTo(registry);
      assertThat(ended("archive", "done").count()).isZero();
      ledger.archiver().archive(ArchiveRequest.upTo(12));
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      ledger
          .restorer()
          .restore(RestoreRequest.downTo(2).with(JobControl.none().cancelledBy(() -> true)));
      plan.from(Call.GET, 1, Fault.FAIL);
      assertThatThrownBy(() -> ledger.backup().run(Backup.Request.full(directory.resolve("b"))))
          .isNotNull();
      plan.repair();
      ledger.keys().orElseThrow().rotate("AES-256-GCM");
      assertThat(ended("archive", "done").count()).isEqualTo(2);
      assertThat(ended("archive", "done").totalTime(TimeUnit.MILLISECONDS))
          .isEqualTo(
              ledger.jobs().totals().stream()
                  .filter(total -> total.name().equals("archive"))
                  .mapToLong(total -> total.elapsed().toMillis())
                  .sum());
      assertThat(ended("restore", "cancelled").count()).isEqualTo(1);
      assertThat(ended("restore", "done").count()).isZero();
      assertThat(ended("backup", "failed").count()).isEqualTo(1);
      assertThat(ended("other", "done").count()).as("rotate").isEqualTo(1);
      ledger.close();
      assertThat(ended("archive", "done").count()).as("a count never falls").isEqualTo(2);
    }
  }

  @Test
  void aRunningJobAndItsProgressAreTold() {
    List<Double> seen = new ArrayList<>();
    try (Ledger ledger = builder().open()) {
      ledger.commitAll(BLOCKS);
      metrics(ledger).bindTo(registry);
      assertThat(value(Measure.JOB_RUNNING)).isZero();
      assertThat(value(Measure.JOB_PROGRESS)).isNaN();
      ledger
          .archiver()
          .archive(
              ArchiveRequest.upTo(20)
                  .with(
                      JobControl.none()
                          .onProgress(
                              progress -> {
                                pass(Duration.ofSeconds(5));
                                assertThat(value(Measure.JOB_RUNNING)).isEqualTo(1);
                                if (progress.totalBlocks() > 0) {
                                  assertThat(value(Measure.JOB_PROGRESS))
                                      .isEqualTo(
                                          (double) progress.doneBlocks() / progress.totalBlocks());
                                  seen.add(value(Measure.JOB_PROGRESS));
                                }
                              })));
      assertThat(seen).contains(1.0).doesNotContainNull();
      pass(Duration.ofSeconds(5));
      assertThat(value(Measure.JOB_RUNNING)).isZero();
    }
  }

  @Test
  void agesAreThoseOfTheLastBackupAndOfAVerificationOfEverything() {
    Clock later = Clock.offset(Clock.systemUTC(), Duration.ofHours(1));
    try (Ledger ledger = builder().open()) {
      ledger.commitAll(BLOCKS);
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      ledger.verify(Verification.Request.of(Level.STRUCTURE));
    }
    try (Ledger ledger = withoutArchive().open()) {
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).uncheckedBlocks())
          .isPositive();
    }
    try (Ledger ledger = builder().open()) {
      LedgerMetrics.of(ledger, later, nanos::get).bindTo(registry);
      assertThat(value(Measure.BACKUP_AGE)).isNaN();
      assertThat(value(Measure.VERIFY_AGE)).as("none has read the archive").isNaN();
      ledger.backup().run(Backup.Request.full(directory.resolve("backups")));
      ledger.verify(Verification.Request.of(Level.BYTES));
      pass(Duration.ofSeconds(5));
      assertThat(value(Measure.BACKUP_AGE)).isBetween(3600.0, 4000.0);
      assertThat(value(Measure.VERIFY_AGE)).isBetween(3600.0, 4000.0);
    }
  }

  @Test
  void disksAreThoseThatWereNamed() throws IOException {
    try (Ledger ledger = builder().open()) {
      metrics(ledger)
          .withDisk("ledger", directory)
          .withDisk("archive", directory.resolve("none"))
          .bindTo(registry);
      assertThat(value(Measure.DISK_TOTAL, "disk", "ledger"))
          .isEqualTo(Files.getFileStore(directory).getTotalSpace());
      assertThat(value(Measure.DISK_FREE, "disk", "ledger"))
          .isPositive()
          .isLessThan(value(Measure.DISK_TOTAL, "disk", "ledger"));
      assertThat(value(Measure.DISK_FREE, "disk", "archive")).isNaN();
    }
  }
}
