package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.Archiver;
import io.ledgerkeep.archive.Archiver.Policy;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobReport;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArchivePolicyTest {

  @TempDir Path directory;

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks =
      SampleChain.builder().seed(7).configAt(h -> h % 10 == 3).build().blocks(100).toList();

  @Test
  void ofSeveralRulesTheOneThatArchivesMostDecides() {
    try (Ledger ledger = filled()) {
      Archiver archiver = ledger.archiver();
      assertThat(archiver.due(Policy.none())).isEmpty();
      assertThat(archiver.due(Policy.none().keepBlocks(20))).hasValue(79);
      assertThat(archiver.due(Policy.none().keepBlocks(20).keepBytes(Long.MAX_VALUE))).hasValue(79);
      assertThat(archiver.due(Policy.none().keepBlocks(20).keepBytes(0))).hasValue(89);
      assertThat(archiver.due(Policy.none().keepBlocks(16)))
          .as("83 is a config block")
          .hasValue(82);
      assertThat(archiver.due(Policy.none().keepBlocks(0))).as("the newest 10 stay").hasValue(89);
      assertThat(archiver.due(Policy.none().keepBlocks(100))).isEmpty();
    }
  }

  @Test
  void soManyBytesOfBodiesStay() {
    try (Ledger ledger = filled()) {
      long newest40 = 0;
      for (long height = 60; height < 100; height++) {
        newest40 +=
            ledger.meta(height).orElseThrow().kind() == Block.Kind.NORMAL
                ? ledger.meta(height).orElseThrow().bodyBytes()
                : 0;
      }
      assertThat(ledger.archiver().due(Policy.none().keepBytes(newest40))).hasValue(59);
      assertThat(ledger.archiver().due(Policy.none().keepBytes(newest40 - 1))).hasValue(60);
    }
  }

  @Test
  void soManyBytesBecomeFree() {
    try (Ledger ledger = filled()) {
      assertThat(ledger.archiver().due(Policy.none().freeBytes(1)))
          .as("there is more than a byte free")
          .isEmpty();
      assertThat(ledger.archiver().due(Policy.none().freeBytes(Long.MAX_VALUE / 2))).hasValue(89);
    }
  }

  @Test
  void whatIsYoungStays() {
    Instant now = Instant.now();
    try (Ledger ledger = filled()) {
      Policy policy =
          Policy.none()
              .keepAge(
                  Duration.ofHours(30), meta -> now.minus(Duration.ofHours(99 - meta.height())));
      assertThat(ledger.archiver().due(policy)).hasValue(69);
    }
  }

  @Test
  void whatWouldFillNoSegmentIsLeftToALaterRun() {
    try (Ledger ledger = filled()) {
      Policy policy = Policy.none().keepBlocks(20);
      Optional<JobReport> report = ledger.archiver().archiveDue(policy, JobControl.none());
      assertThat(report.orElseThrow().blocks()).isZero();
      assertThat(ledger.archivedHeight()).isZero();
      assertThat(store.list("").stream().filter(name -> name.contains("segment"))).isEmpty();
      ArchiveRequest request = ArchiveRequest.upTo(79).ofWholeSegments();
      assertThat(ledger.archiver().plan(request).blocks()).isZero();
      assertThat(ledger.archiver().plan(ArchiveRequest.upTo(79)).blocks()).isPositive();
    }
  }

  /**
   * Of some 150 MiB that do not compress a segment takes 128, and the rest stays. The archive lies
   * on the disk: all of it twice in memory would be too much.
   */
  @Test
  void wholeSegmentsGo() {
    Random random = new Random(5);
    SampleChain chain = SampleChain.builder().seed(3).transactionsPerBlock(1).build();
    Path archive = directory.resolve("archive");
    try (Ledger ledger =
        builder().archiveStore("directory", Options.of("path", archive.toString())).open()) {
      chain.blocks(54).map(block -> withNoise(block, random)).forEach(ledger::commit);
      Policy policy = Policy.none().keepBlocks(10);
      JobReport report = ledger.archiver().archiveDue(policy, JobControl.none()).orElseThrow();
      assertThat(report.bytesWritten()).isBetween(128L << 20, 136L << 20);
      assertThat(report.archivedHeightAfter()).isBetween(31L, 42L);
      assertThat(ledger.archiver().plan(ArchiveRequest.upTo(43).ofWholeSegments()).blocks())
          .isZero();
      assertThat(ledger.archiver().archiveDue(policy, JobControl.none()).orElseThrow().blocks())
          .isZero();
    }
  }

  private static Block withNoise(Block block, Random random) {
    byte[] noise = new byte[4 << 20];
    random.nextBytes(noise);
    return new Block(
        block.height(),
        block.kind(),
        block.hash(),
        block.previousHash(),
        block.header(),
        block.transactions().stream()
            .map(transaction -> new Transaction(transaction.id(), Bytes.wrap(noise)))
            .toList(),
        block.rwSets(),
        block.additional());
  }

  @Test
  void whileAnotherJobRunsNothingIsDone() {
    try (Ledger ledger = filled()) {
      Policy policy = Policy.none().keepBlocks(20);
      AtomicReference<Optional<JobReport>> meanwhile = new AtomicReference<>();
      ledger
          .archiver()
          .archive(
              ArchiveRequest.upTo(50)
                  .with(
                      JobControl.none()
                          .onProgress(
                              progress ->
                                  meanwhile.compareAndSet(
                                      null,
                                      ledger.archiver().archiveDue(policy, JobControl.none())))));
      assertThat(meanwhile.get()).isEmpty();
      assertThat(ledger.archivedHeight()).isEqualTo(50);
    }
  }

  @Test
  void nothingNegativeIsKept() {
    assertThatIllegalArgumentException().isThrownBy(() -> Policy.none().keepBlocks(-1));
    assertThatIllegalArgumentException().isThrownBy(() -> Policy.none().freeBytes(-1));
  }

  private Ledger filled() {
    Ledger ledger = open();
    ledger.commitAll(blocks);
    return ledger;
  }

  private Ledger open() {
    return builder().archiveStore(store).open();
  }

  private Ledgerkeep.Builder builder() {
    return Ledgerkeep.builder()
        .directory(directory.resolve("ledger"))
        .storage(new InMemoryStorage(disk), Options.none())
        .unarchivedBlocks(10)
        .reserveBytes(0);
  }
}
