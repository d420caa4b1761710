package io.ledgerkeep.core.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledger.Jobs.Job;
import io.ledgerkeep.Ledger.Jobs.State;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Connection;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.Archiver.Policy;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobReport;
import io.ledgerkeep.job.Progress;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ControlTest {

  private static final List<Block> BLOCKS =
      SampleChain.builder().seed(7).configAt(h -> h % 10 == 3).build().blocks(100).toList();

  @TempDir Path root;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();

  @AfterEach
  void endThreads() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
  }

  private Path directory() {
    return root.resolve("ledger");
  }

  private Ledgerkeep.Builder builder() {
    return Ledgerkeep.builder()
        .directory(directory())
        .storage(new InMemoryStorage(disk), Options.none())
        .archiveStore(store)
        .unarchivedBlocks(10)
        .reserveBytes(0)
        .control(threads);
  }

  private Ledger filled() {
    Ledger ledger = builder().open();
    ledger.commitAll(BLOCKS);
    return ledger;
  }

  // ------------------------------------------------------------------------------------ calls

  @Test
  void whatIsAskedForThroughTheSocketIsDoneAndTold() {
    try (Ledger ledger = filled();
        Connection far = Ledgerkeep.connect(directory())) {
      assertThat(far.status()).isEqualTo(ledger.status());
      assertThat(far.archivePlace()).isEqualTo(ledger.archivePlace());
      assertThat(far.keys()).isEmpty();
      assertThat(far.archiver().due(Policy.none().keepBlocks(20))).hasValue(79);
      assertThat(far.archiver().plan(ArchiveRequest.upTo(50)).archivedHeightAfter()).isEqualTo(50);

      ConcurrentLinkedQueue<Progress> told = new ConcurrentLinkedQueue<>();
      JobReport report =
          far.archiver()
              .archive(ArchiveRequest.upTo(50).with(JobControl.none().onProgress(told::add)));
      assertThat(report.archivedHeightAfter()).isEqualTo(50);
      assertThat(report.blocks()).isEqualTo(45);
      assertThat(ledger.archivedHeight()).isEqualTo(50);
      assertThat(told).isNotEmpty().allMatch(progress -> !progress.phase().isEmpty());

      assertThat(far.restorer().restore(RestoreRequest.downTo(20)).archivedHeightAfter())
          .isEqualTo(19);
      assertThat(far.backup().run(Backup.Request.full(root.resolve("backups"))).height())
          .isEqualTo(99);
      Verification found = far.verify(Verification.Request.of(Level.LEDGER));
      assertThat(found.findings()).isEmpty();
      assertThat(found.blocks()).isEqualTo(100);
      assertThat(far.jobs().list().stream().map(Job::name))
          .containsExactly("verify", "backup", "restore", "archive");
      assertThat(far.jobs().list().get(3).by())
          .isEqualTo(System.getProperty("user.name") + "/" + ProcessHandle.current().pid());
      assertThat(far.jobs().totals()).isEqualTo(ledger.jobs().totals()).hasSize(4);
    }
  }

  @Test
  void keysAreRotatedInTheProcessThatHasThem() {
    Options options = Options.of("key", "raw:a far away key..");
    try (Ledger ledger = builder().encryption("aes", options).open();
        Connection far = Ledgerkeep.connect(directory())) {
      ledger.commitAll(BLOCKS);
      LedgerKeys keys = far.keys().orElseThrow();
      assertThat(keys.rotate("SM4-GCM").number()).isEqualTo(2);
      assertThat(keys.reencrypt(JobControl.none()).complete()).isTrue();
      assertThat(keys.dataKeys()).isEqualTo(ledger.keys().orElseThrow().dataKeys()).hasSize(2);
      assertThat(keys.disable(1, JobControl.none())).isTrue();
      assertThatExceptionOfType(KeyUnavailableException.class)
          .isThrownBy(
              () -> keys.rewrap("aes", Options.of("key", "file:/nowhere"), Optional.empty()))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(KeyUnavailableException.Reason.MISSING));
    }
  }

  @Test
  void whatIsRefusedThereIsRefusedHere() {
    try (Ledger ledger = filled();
        Connection far = Ledgerkeep.connect(directory())) {
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> far.archiver().archive(ArchiveRequest.upTo(95)))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.PROTECTED))
          .withMessage(messageOf(() -> ledger.archiver().archive(ArchiveRequest.upTo(95))));
      store.setReachable(false);
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> far.archiver().archive(ArchiveRequest.upTo(50)));
    }
  }

  private static String messageOf(Runnable refused) {
    try {
      refused.run();
    } catch (RuntimeException e) {
      return String.valueOf(e.getMessage());
    }
    throw new AssertionError("it was not refused");
  }

  @Test
  void whatOnlyItsOwnProcessCanUseIsRefused() {
    try (Ledger ledger = filled();
        Connection far = Ledgerkeep.connect(directory())) {
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> far.verify(Verification.Request.of(Level.LEDGER).with(block -> {})));
      Policy young = Policy.none().keepAge(Duration.ofDays(1), meta -> Instant.EPOCH);
      assertThatExceptionOfType(ConfigurationException.class)
          .isThrownBy(() -> far.archiver().due(young));
      assertThat(ledger.jobs().list()).isEmpty();
    }
  }

  // ------------------------------------------------------------------------------------ cancel

  @Test
  void whoCancelsFarAwayCancelsTheJob() {
    try (Ledger ledger = filled();
        Connection far = Ledgerkeep.connect(directory())) {
      AtomicBoolean cancelled = new AtomicBoolean();
      JobControl slow =
          JobControl.none()
              .atMost(20_000)
              .onProgress(progress -> cancelled.set(true))
              .cancelledBy(cancelled::get);
      assertThat(far.archiver().archive(ArchiveRequest.upTo(80).with(slow)).cancelled()).isTrue();
      assertThat(far.jobs().list().get(0).state()).isEqualTo(State.CANCELLED);
    }
  }

  @Test
  void aJobEndsWhenItsCallerIsGone() throws Exception {
    try (Ledger ledger = filled()) {
      try (Lines caller = raw()) {
        caller.write(
            "{\"service\":\"archiver\",\"method\":\"archive\",\"arguments\":"
                + "[{\"lastHeight\":80,\"wholeSegments\":false,\"control\":20000}]}");
        assertThat(caller.read(60_000)).contains("progress");
      }
      awaitNoJob(ledger);
      assertThat(ledger.jobs().list().get(0).state()).isEqualTo(State.CANCELLED);
    }
  }

  @Test
  void aJobIsSeenAndCancelledByOthersAndResumed() throws Exception {
    try (Ledger ledger = filled();
        Connection far = Ledgerkeep.connect(directory())) {
      CountDownLatch begun = new CountDownLatch(1);
      Future<JobReport> report =
          threads.submit(
              () ->
                  ledger
                      .archiver()
                      .archive(
                          ArchiveRequest.upTo(80)
                              .with(
                                  JobControl.none()
                                      .atMost(20_000)
                                      .onProgress(progress -> begun.countDown()))));
      assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
      Job job = far.jobs().list().get(0);
      assertThat(job.state()).isEqualTo(State.RUNNING);
      assertThat(job.range()).contains("to=80");
      assertThat(job.progress()).isPresent();
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> far.restorer().restore(RestoreRequest.downTo(1)))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.JOB_RUNNING));
      assertThat(far.jobs().cancel(job.number())).isTrue();
      assertThat(report.get(60, TimeUnit.SECONDS).cancelled()).isTrue();
      assertThat(far.jobs().cancel(job.number())).isFalse();

      Job resumed = far.jobs().resume(job.number(), JobControl.none());
      assertThat(resumed.state()).isEqualTo(State.DONE);
      assertThat(ledger.archivedHeight()).isEqualTo(80);
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> far.jobs().resume(resumed.number(), JobControl.none()))
          .withMessageContaining("nothing to go on with");
    }
  }

  @Test
  void closingTheLedgerEndsWhatRunsThroughTheSocket() throws Exception {
    Ledger ledger = filled();
    CountDownLatch begun = new CountDownLatch(1);
    Connection far = Ledgerkeep.connect(directory());
    Future<JobReport> report =
        threads.submit(
            () ->
                far.archiver()
                    .archive(
                        ArchiveRequest.upTo(80)
                            .with(
                                JobControl.none()
                                    .atMost(20_000)
                                    .onProgress(progress -> begun.countDown()))));
    assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
    ledger.close();
    assertThat(report.get(60, TimeUnit.SECONDS).cancelled()).isTrue();
    assertThatExceptionOfType(ConflictException.class).isThrownBy(far::status);
  }

  private static void awaitNoJob(Ledger ledger) throws InterruptedException {
    while (!ledger.status().job().isEmpty() && !ledger.status().job().contains("interrupted")) {
      Thread.sleep(10);
    }
  }

  // ------------------------------------------------------------------------------------ the socket

  @Test
  void onlyTheOwnersUserMayUseIt() throws IOException {
    try (Ledger ledger = filled()) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())))
          .isEqualTo("rw-------");
    }
    assertThat(socket()).doesNotExist();
  }

  @Test
  void whatADeadProcessLeftIsReplaced() throws IOException {
    filled().close();
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      ControlSocket.use(directory(), dead::bind);
    }
    assertThat(socket()).exists();
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> Ledgerkeep.connect(directory()))
        .withMessageContaining("does not answer");
    try (Ledger ledger = builder().open();
        Connection far = Ledgerkeep.connect(directory())) {
      assertThat(far.status().height()).isEqualTo(99);
    }
  }

  @Test
  void closingTwiceLeavesTheSocketOfTheNextAlone() {
    Ledger former = filled();
    former.close();
    try (Ledger ledger = builder().open()) {
      former.close();
      try (Connection far = Ledgerkeep.connect(directory())) {
        assertThat(far.status()).isEqualTo(ledger.status());
      }
    }
  }

  @Test
  void whereNobodyServesThatIsSaid() {
    filled().close();
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> Ledgerkeep.connect(directory()))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.LOCKED))
        .withMessageContaining("nobody serves");
  }

  @Test
  void aNameThatIsTooLongForASocketIsReachedAllTheSame() {
    Path deep = root.resolve("d".repeat(100)).resolve("ledger");
    try (Ledger ledger = builder().directory(deep).open();
        Connection far = Ledgerkeep.connect(deep)) {
      assertThat(deep.resolve("control.sock")).exists();
      assertThat(far.status().height()).isEqualTo(-1);
    }
  }

  @Test
  void anExecutorWithoutThreadsIsRefusedAndTheLedgerOpensWithout() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> builder().control(Runnable::run).open());
    assertThat(socket()).doesNotExist();
    builder().open().close();
  }

  @Test
  void whatIsNoRequestIsAnsweredAndTheNextOneServed() throws IOException {
    try (Ledger ledger = filled();
        Lines caller = raw()) {
      for (String bad :
          List.of(
              "nonsense",
              "[]",
              "{}",
              "{\"service\":\"ledger\",\"method\":\"close\",\"arguments\":[]}",
              "{\"service\":\"ledger\",\"method\":\"archiver\",\"arguments\":[]}",
              "{\"service\":\"ledger\",\"method\":\"getClass\",\"arguments\":[]}",
              "{\"service\":\"archiver\",\"method\":\"archive\",\"arguments\":[7]}",
              "{\"service\":\"archiver\",\"method\":\"archive\",\"arguments\":[{}]}",
              "{\"service\":\"keys\",\"method\":\"dataKeys\",\"arguments\":[]}")) {
        caller.write(bad);
        assertThat(caller.read(60_000)).as(bad).contains("error");
      }
      caller.write("{\"service\":\"ledger\",\"method\":\"status\",\"arguments\":[]}");
      assertThat(caller.read(60_000)).contains("\"height\":99");
      assertThat(ledger.jobs().list()).isEmpty();
    }
  }

  @Test
  void whoIsLeftWithoutAGreetingIsLockedOut() throws Exception {
    filled().close();
    try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      ControlSocket.use(directory(), other::bind);
      Future<?> hungUp =
          threads.submit(
              () -> {
                other.accept().close();
                return 0;
              });
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> Ledgerkeep.connect(directory()))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.LOCKED))
          .withMessageContaining("only the user who runs it");
      hungUp.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void whereNoSocketCanBeMadeNoLedgerIsOpen() throws IOException {
    builder().open().close();
    Files.createDirectories(socket().resolve("x"));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> builder().open())
        .withMessageContaining("remove what is in its place");
    assertThat(Files.readString(directory().resolve("status.json"))).contains("\"open\":false");
  }

  @Test
  void anotherVersionIsRefusedByName() throws Exception {
    filled().close();
    try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      ControlSocket.use(directory(), other::bind);
      Future<?> greeting =
          threads.submit(
              () -> {
                try (Lines caller = new Lines(other.accept(), 100)) {
                  caller.write("{\"ledgerkeep\":\"control\",\"version\":2}");
                }
                return 0;
              });
      assertThatExceptionOfType(UnsupportedFormatException.class)
          .isThrownBy(() -> Ledgerkeep.connect(directory()))
          .withMessageContaining("version 2");
      greeting.get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void whatComesBackIsWhatWasSent() {
    assertThatThrownBy(() -> Wire.tree(new Object())).isInstanceOf(ConfigurationException.class);
    for (RuntimeException thrown :
        List.of(
            new ConflictException(Reason.MOVED, "a"),
            new ConfigurationException("b"),
            new io.ledgerkeep.error.IntegrityException("c"),
            new StorageException(StorageException.Kind.OUT_OF_SPACE, "d"),
            new UnsupportedFormatException("e"),
            new io.ledgerkeep.error.ArchivedException(
                io.ledgerkeep.error.ArchivedException.Subject.RW_SET, 7, "there"))) {
      Map<?, ?> tree = Failures.tree(thrown);
      assertThat(Failures.exception(tree))
          .hasSameClassAs(thrown)
          .satisfies(again -> assertThat(Failures.tree(again)).isEqualTo(tree));
    }
  }

  private Path socket() {
    return directory().resolve("control.sock");
  }

  private Lines raw() throws IOException {
    Lines lines = new Lines(ControlSocket.use(directory(), SocketChannel::open), 1 << 20);
    assertThat(lines.read(60_000)).contains("\"version\":1");
    return lines;
  }
}
