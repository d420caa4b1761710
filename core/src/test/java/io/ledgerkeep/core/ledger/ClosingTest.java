package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.ledgerkeep.Block;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerReader.StateEntry;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ClosingTest {

  private static final List<Block> BLOCKS = SampleChain.ofSeed(2).blocks(400).toList();

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void make() {
    world = new World(directory);
  }

  @Test
  void closingTwiceDoesNothing() {
    Ledger ledger = world.open();
    ledger.commitAll(BLOCKS.subList(0, 10));
    ledger.close();
    ledger.close();
    try (Ledger again = world.open()) {
      ledger.close();
      again.commit(BLOCKS.get(10));
      assertThat(again.height()).isEqualTo(10);
    }
    world.disk.assertAllClosed();
  }

  @Test
  void aClosedLedgerAnswersNoMore() {
    Ledger ledger = world.open();
    ledger.commitAll(BLOCKS.subList(0, 10));
    LedgerView view = ledger.view();
    ledger.close();
    ViewTest.assertAllRefuse(ledger);
    ViewTest.assertAllRefuse(view);
    assertThatIllegalStateException().isThrownBy(() -> ledger.commit(BLOCKS.get(9)));
    assertThatIllegalStateException().isThrownBy(() -> ledger.commitAll(BLOCKS));
    assertThatIllegalStateException().isThrownBy(ledger::view);
    assertThatIllegalStateException().isThrownBy(ledger::status);
    assertThatIllegalStateException().isThrownBy(ledger::archivePlace);
    assertThatIllegalStateException().isThrownBy(ledger::archiver);
    assertThatIllegalStateException().isThrownBy(ledger::restorer);
    assertThatIllegalStateException().isThrownBy(ledger::archive);
    assertThatIllegalStateException()
        .isThrownBy(() -> ledger.verify(Verification.Request.of(Verification.Level.values()[0])));
    view.close();
  }

  @Test
  void viewsAndIteratorsEndWithTheLedger() {
    Ledger ledger = world.open();
    ledger.commitAll(BLOCKS.subList(0, 10));
    CloseableIterator<StateEntry> entries = ledger.scanState("token", io.ledgerkeep.KeyRange.all());
    assertThat(entries.hasNext()).isTrue();
    entries.next();
    ledger.close();
    assertThatIllegalStateException().isThrownBy(entries::next);
    entries.close();
    world.disk.assertAllClosed();
  }

  /** Whoever is in the middle of something gets a whole answer, or hears that it is closed. */
  @RepeatedTest(5)
  void closingWhileOthersReadAndCommitDoesNoHarm() throws Exception {
    Ledger ledger = world.open();
    ledger.commitAll(BLOCKS.subList(0, 20));
    AtomicLong committed = new AtomicLong(19);
    CountDownLatch busy = new CountDownLatch(3);
    Threads.run(
        () -> {
          busy.await(60, TimeUnit.SECONDS);
          ledger.close();
        },
        () ->
            untilClosed(
                busy,
                () -> {
                  // Who is faster than closing comes to the end, and commits the last one again.
                  long next = Math.min(committed.get() + 1, BLOCKS.size() - 1);
                  ledger.commit(BLOCKS.get((int) next));
                  committed.set(next);
                }),
        () -> untilClosed(busy, () -> read(ledger)),
        () -> untilClosed(busy, () -> look(ledger)));
    try (Ledger again = world.open()) {
      assertThat(again.height()).isEqualTo(committed.get());
      Replay.of(BLOCKS.subList(0, (int) committed.get() + 1)).assertToldBy(again);
    }
  }

  private static void untilClosed(CountDownLatch busy, Runnable action) {
    try {
      for (int round = 0; ; round++) {
        action.run();
        if (round == 0) {
          busy.countDown();
        }
      }
    } catch (IllegalStateException e) {
      assertThat(e.getMessage()).contains("closed");
    }
  }

  private static void read(Ledger ledger) {
    long height = ledger.height();
    assertThat(ledger.block(height)).contains(BLOCKS.get((int) height));
    assertThat(ledger.blockByHash(BLOCKS.get(3).hash())).contains(BLOCKS.get(3));
    assertThat(ledger.status().height()).isGreaterThanOrEqualTo(height);
  }

  private static void look(Ledger ledger) {
    try (LedgerView view = ledger.view();
        CloseableIterator<StateEntry> entries =
            view.scanState("token", io.ledgerkeep.KeyRange.all())) {
      entries.forEachRemaining(entry -> assertThat(entry.key()).isNotNull());
      assertThat(view.block(view.height())).isPresent();
    }
  }

  @Test
  void aViewThatIsForgottenDoesNotKeepTheLedgerOpen() {
    for (int i = 0; i < 3; i++) {
      Ledger ledger = world.open();
      ledger.commitAll(BLOCKS.subList(0, 5 * (i + 1)));
      ledger.view();
      ledger.scanState("token", io.ledgerkeep.KeyRange.all());
      ledger.close();
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.height()).isEqualTo(14);
    }
  }

  /** Files are written through channels, which an interrupt closes; the flag is the caller's. */
  @Test
  void anInterruptedThreadCommitsAllTheSame() {
    try (Ledger ledger = world.open()) {
      ledger.commit(BLOCKS.get(0));
      Thread.currentThread().interrupt();
      ledger.commitAll(BLOCKS.subList(1, 30));
      assertThat(Thread.interrupted()).isTrue();
      Replay.of(BLOCKS.subList(0, 30)).assertToldBy(ledger);
      Thread.currentThread().interrupt();
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.height()).isEqualTo(29);
    }
  }
}
