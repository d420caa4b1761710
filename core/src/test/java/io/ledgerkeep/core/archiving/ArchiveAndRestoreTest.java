package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobReport;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArchiveAndRestoreTest {

  @TempDir Path directory;

  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks =
      SampleChain.builder().seed(7).configAt(h -> h % 10 == 3).build().blocks(100).toList();

  @Test
  void whatWasArchivedReadsThroughAndComesBack() {
    try (Ledger ledger = open(true)) {
      ledger.commitAll(blocks);
      JobReport report = ledger.archiver().archive(ArchiveRequest.upTo(80));
      assertThat(report.archivedHeightAfter()).isEqualTo(80);
      assertThat(ledger.archivedHeight()).isEqualTo(80);
      assertEverythingReads(ledger);
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
    }
    try (Ledger ledger = open(false)) {
      assertThatThrownBy(() -> ledger.block(5))
          .isInstanceOf(ArchivedException.class)
          .hasMessage("archived block");
      assertThat(ledger.block(3)).contains(blocks.get(3));
      JobReport report = ledger.restorer().restore(RestoreRequest.downTo(41));
      assertThat(report.archivedHeightAfter()).isEqualTo(40);
      ledger.restorer().restore(RestoreRequest.downTo(0));
      assertThat(ledger.archivedHeight()).isZero();
      assertEverythingReads(ledger);
      ledger.archiver().archive(ArchiveRequest.upTo(85));
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
    }
  }

  /** A rate counts what is told here, so a job that tells nothing would not be held back. */
  @Test
  void aJobTellsTheBytesItMoves() {
    try (Ledger ledger = open(true)) {
      ledger.commitAll(blocks);
      AtomicLong told = new AtomicLong();
      JobControl control =
          JobControl.none()
              .onProgress(progress -> told.accumulateAndGet(progress.bytes(), Math::max));
      JobReport archived = ledger.archiver().archive(ArchiveRequest.upTo(80).with(control));
      assertThat(told.getAndSet(0)).isPositive().isEqualTo(archived.bytesMoved());
      JobReport restored = ledger.restorer().restore(RestoreRequest.downTo(1).with(control));
      assertThat(told.get()).isPositive().isEqualTo(restored.bytesMoved());
    }
  }

  private void assertEverythingReads(Ledger ledger) {
    for (Block block : blocks) {
      assertThat(ledger.block(block.height())).contains(block);
      for (int i = 0; i < block.transactions().size(); i++) {
        Transaction transaction = block.transactions().get(i);
        assertThat(ledger.transaction(transaction.id())).contains(transaction);
        assertThat(ledger.rwSet(transaction.id())).contains(block.rwSets().get(i));
      }
    }
  }

  private Ledger open(boolean readThrough) {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(new InMemoryStorage(disk), Options.none())
        .archiveStore(store)
        .unarchivedBlocks(10)
        .readThrough(readThrough)
        .reserveBytes(0)
        .open();
  }
}
