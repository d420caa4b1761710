package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** While jobs move bodies there and back, readers see every block, and commits go on. */
@Timeout(120)
final class ReadersDuringJobsTest {

  private static final int OLD = 200;
  private static final int NEW = 260;

  @TempDir Path directory;

  private final ExecutorService threads = Executors.newFixedThreadPool(5);
  private final List<Block> blocks = SampleChain.ofSeed(5).blocks(NEW).toList();

  @AfterEach
  void endThreads() {
    threads.shutdownNow();
  }

  @Test
  void readersSeeEveryBlockAndCommitsGoOn() throws Exception {
    try (Ledger ledger = open()) {
      ledger.commitAll(blocks.subList(0, OLD));
      AtomicBoolean done = new AtomicBoolean();
      AtomicInteger reads = new AtomicInteger();
      List<Future<?>> readers = new ArrayList<>();
      for (int seed = 0; seed < 3; seed++) {
        Random random = new Random(seed);
        readers.add(
            threads.submit(
                () -> {
                  while (!done.get() || reads.get() < 100) {
                    assertOneRead(ledger, random);
                    reads.incrementAndGet();
                  }
                }));
      }
      Future<?> writer = threads.submit(() -> blocks.subList(OLD, NEW).forEach(ledger::commit));
      for (int round = 0; round < 5; round++) {
        ledger.archiver().archive(ArchiveRequest.upTo(180));
        ledger.restorer().restore(RestoreRequest.downTo(20));
      }
      writer.get();
      done.set(true);
      for (Future<?> reader : readers) {
        reader.get();
      }
      assertThat(ledger.height()).isEqualTo(NEW - 1);
    }
  }

  private void assertOneRead(Ledger ledger, Random random) {
    Block block = blocks.get(random.nextInt(OLD));
    if (random.nextBoolean()) {
      assertThat(ledger.block(block.height())).contains(block);
    } else {
      try (LedgerView view = ledger.view()) {
        assertThat(view.block(block.height())).contains(block);
      }
    }
    if (!block.transactions().isEmpty()) {
      String id = block.transactions().get(0).id();
      assertThat(ledger.transaction(id)).contains(block.transactions().get(0));
      assertThat(ledger.rwSet(id)).contains(block.rwSets().get(0));
    }
  }

  @Test
  void aSecondJobIsToldWhichOneRuns() {
    try (Ledger ledger = open()) {
      ledger.commitAll(blocks.subList(0, OLD));
      AtomicInteger refused = new AtomicInteger();
      JobControl control =
          JobControl.none()
              .onProgress(
                  progress -> {
                    assertThatThrownBy(() -> ledger.restorer().restore(RestoreRequest.downTo(1)))
                        .isInstanceOf(ConflictException.class)
                        .hasMessageContaining("'archive'")
                        .hasMessageContaining(Long.toString(ProcessHandle.current().pid()));
                    refused.incrementAndGet();
                  });
      ledger.archiver().archive(ArchiveRequest.upTo(100).with(control));
      assertThat(refused).hasPositiveValue();
    }
  }

  @Test
  void closingEndsTheRunningJobBetweenBatches() throws Exception {
    MemoryDisk disk = new MemoryDisk();
    InMemoryArchiveStore store = new InMemoryArchiveStore();
    Future<?> closing;
    try (Ledger ledger = open(disk, store)) {
      ledger.commitAll(blocks.subList(0, OLD));
      AtomicBoolean begun = new AtomicBoolean();
      Future<?>[] closer = new Future<?>[1];
      JobControl control =
          JobControl.none()
              .onProgress(
                  progress -> {
                    if (begun.compareAndSet(false, true)) {
                      closer[0] = threads.submit(ledger::close);
                    }
                  })
              .atMost(4096);
      assertThat(ledger.archiver().archive(ArchiveRequest.upTo(150).with(control)).cancelled())
          .isTrue();
      closing = closer[0];
    }
    closing.get();
    try (Ledger ledger = open(disk, store.reopen())) {
      ledger.archiver().archive(ArchiveRequest.upTo(150));
      assertThat(ledger.archivedHeight()).isEqualTo(150);
    }
  }

  private Ledger open() {
    return open(new MemoryDisk(), new InMemoryArchiveStore());
  }

  private Ledger open(MemoryDisk disk, InMemoryArchiveStore store) {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(new InMemoryStorage(disk), Options.none())
        .archiveStore(store)
        .executor(threads)
        .unarchivedBlocks(10)
        .readThrough(true)
        .reserveBytes(0)
        .open();
  }
}
