package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.InMemoryStorage;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Engines fail at every call they get, before they do it and after it, and the ledger tells the
 * truth about what is committed, refuses writes where it has to, and is whole when opened again.
 */
final class FaultLoopTest {

  private static final int HEIGHT = 24;

  @TempDir static Path directory;
  private static Story.Script script;

  @BeforeAll
  static void play() {
    script = new Story.Script(directory, HEIGHT);
  }

  @ParameterizedTest
  @EnumSource(names = {"FAIL", "OUT_OF_SPACE", "LOSE_ANSWER"})
  void theLedgerTellsTheTruthWhicheverCallFails(Fault fault) {
    failAtEveryCall(1, 11, fault);
  }

  @ParameterizedTest
  @EnumSource(names = {"FAIL", "OUT_OF_SPACE", "LOSE_ANSWER"})
  @Tag("long")
  void theLedgerTellsTheTruthWhicheverCallOfManyStoriesFails(Fault fault) {
    for (long seed = 10; seed < 30; seed++) {
      failAtEveryCall(seed, 1, fault);
    }
  }

  private static void failAtEveryCall(long seed, int step, Fault fault) {
    World world = script.world(seed);
    new Story(script, world, seed).runTo(HEIGHT - 1);
    long calls = world.plan.calls(Call.ALL);
    for (long n = 1 + fault.ordinal(); n <= calls; n += step) {
      try {
        failAt(seed, n, fault);
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed %d, %s call %d".formatted(seed, fault, n), e);
      }
    }
  }

  private static void failAt(long seed, long n, Fault fault) {
    World world = script.world(seed);
    world.plan = new FaultPlan().at(Call.ALL, n, fault);
    Story story = new Story(script, world, seed);
    while (true) {
      try {
        story.runTo(HEIGHT - 1);
        break;
      } catch (StorageException e) {
        assertTruth(world, story, e, n);
      }
    }
    world.disk.assertAllClosed();
    try (Ledger ledger = world.open()) {
      script.assertHolds(world, HEIGHT - 1);
      Replay.of(script.blocks).assertToldBy(ledger);
    }
  }

  /** Looks at everything after a failure, and leaves the story so that it can go on. */
  private static void assertTruth(World world, Story story, StorageException failure, long n) {
    Ledger ledger = story.ledger;
    if (ledger == null) {
      assertThat(failure.committedHeight()).isEmpty();
      return;
    }
    long committed = failure.committedHeight().orElse(ledger.height());
    assertThat(committed).isBetween(story.acknowledged, story.attempted);
    assertReadersSeeWholeBlocks(ledger);
    boolean isInDoubt = !failure.isRetryable() || failure.committedHeight().isPresent();
    if (failure.committedHeight().isPresent()) {
      assertWritesAreRefused(ledger, committed);
    }
    if (isInDoubt || n % 2 == 0) {
      reopen(world, story, committed);
    } else {
      story.acknowledged = committed;
      story.commit(1);
    }
    script.assertHolds(world, story.acknowledged);
  }

  private static void reopen(World world, Story story, long committed) {
    story.close();
    assertThat(story.open().height()).isEqualTo(committed);
    script.assertHolds(world, committed);
    story.acknowledged = committed;
  }

  /** Whatever was half written, nobody sees it: a view is of one height or is refused. */
  private static void assertReadersSeeWholeBlocks(Ledger ledger) {
    long height = ledger.height();
    try (LedgerView view = ledger.view()) {
      Replay.of(script.blocks.subList(0, (int) height + 1)).assertToldBy(view);
    } catch (StorageException e) {
      assertThat(e).hasMessageContaining("part of block " + (height + 1));
    }
    Replay.assertUnknownTo(ledger, script.blocks.subList((int) height + 1, HEIGHT));
  }

  private static void assertWritesAreRefused(Ledger ledger, long committed) {
    Block next = script.blocks.get((int) Math.min(HEIGHT - 1, committed + 1));
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> ledger.commit(next))
        .withMessageContaining("open the ledger again")
        .satisfies(e -> assertThat(e.isRetryable()).isFalse());
  }

  // ------------------------------------------------------------------------------------ by hand

  /** Returns an open ledger with some blocks and a plan that has not begun to fail. */
  private static Story begun(World world) {
    Story story = new Story(script, world, 1);
    story.open();
    story.commit(1);
    story.commit(1);
    world.plan.repair();
    return story;
  }

  private static World fresh() {
    World world = script.world(1);
    world.plan = new FaultPlan();
    return world;
  }

  @Test
  void aLostAnswerIsFoundOut() {
    World world = fresh();
    Story story = begun(world);
    world.plan.from(Call.WRITE, world.plan.calls(Call.WRITE) + 1, Fault.LOSE_ANSWER);
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> story.commit(1))
        .satisfies(e -> assertThat(e.committedHeight()).isEmpty())
        .withMessageContaining("block 2 is not committed");
    world.plan.repair();
    reopen(world, story, 1);
    story.commit(1);
    world.plan.at(Call.WRITE, world.plan.calls(Call.WRITE) + 1, Fault.LOSE_ANSWER);
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> story.commit(1))
        .satisfies(e -> assertThat(e.committedHeight()).hasValue(3))
        .satisfies(e -> assertThat(e.isRetryable()).isFalse())
        .withMessageContaining("block 3 is committed");
    reopen(world, story, 3);
    story.close();
  }

  @Test
  void whatCannotBeFoundOutIsSaidToBeUnknown() {
    World world = fresh();
    Story story = begun(world);
    long gets = world.plan.calls(Call.GET);
    world.plan.at(Call.WRITE, world.plan.calls(Call.WRITE) + 2, Fault.LOSE_ANSWER);
    world.plan.from(Call.GET, gets + 1, Fault.FAIL);
    StorageException failure = null;
    try {
      story.commit(1);
    } catch (StorageException e) {
      failure = e;
    }
    assertThat(failure).isNotNull();
    assertThat(failure.isRetryable()).isFalse();
    assertThat(failure.getMessage()).contains("cannot tell whether block 2 is committed");
    world.plan.repair();
    assertWritesAreRefused(story.ledger, 1);
    story.close();
    assertThat(story.open().height()).isBetween(1L, 2L);
    story.close();
  }

  @Test
  void aFullDiskRefusesABlockAndTakesItOnceThereIsRoom() {
    World world = fresh();
    Story story = begun(world);
    world.disk.limitBytes(world.disk.usedBytes() + 100);
    for (int attempt = 0; attempt < 3; attempt++) {
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> story.commit(1))
          .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue())
          .satisfies(e -> assertThat(e.committedHeight()).isEmpty());
      assertThat(story.ledger.height()).isEqualTo(1);
      assertReadersSeeWholeBlocks(story.ledger);
    }
    world.disk.limitBytes(Long.MAX_VALUE);
    story.commit(1);
    script.assertHolds(world, 2);
    story.runTo(HEIGHT - 1);
  }

  /**
   * The largest block goes ahead of its commit point in many batches: each may be the one too much.
   */
  @Test
  void aBlockThatDidNotFitLeavesNothingWhereverTheDiskWasFull() {
    World world = fresh();
    Story story = begun(world);
    story.commit(1);
    story.commit(1);
    long used = world.disk.usedBytes();
    for (long room = 0; story.acknowledged < 4; room += 7_000) {
      world.disk.limitBytes(used + room);
      try {
        story.commit(1);
      } catch (StorageException e) {
        assertThat(e.isOutOfSpace()).isTrue();
        if (e.committedHeight().isPresent()) {
          break;
        }
        assertThat(story.ledger.height()).isEqualTo(3);
        Replay.assertUnknownTo(story.ledger, script.blocks.subList(4, HEIGHT));
      }
      world.disk.limitBytes(Long.MAX_VALUE);
      world.engine(Database.BLOCK).compact(KeyRange.all());
    }
    world.disk.limitBytes(Long.MAX_VALUE);
    story.close();
    assertThat(story.open().height()).isEqualTo(4);
    script.assertHolds(world, 4);
    story.close();
  }

  /**
   * What the large block left ahead of its commit point must not become a part of the small one.
   */
  @Test
  void anotherBlockTakesTheHeightOfOneThatDidNotFit() {
    World world = fresh();
    world.limits = InMemoryStorage.SMALLEST_LIMITS;
    Block genesis = Blocks.genesis().build();
    Blocks large = Blocks.after(genesis);
    for (int i = 0; i < 40; i++) {
      large.transaction("large " + i, Blocks.noise(i, 10_000));
    }
    large.additional = Bytes.ofUtf8("votes");
    Block small = Blocks.after(genesis).transaction("large 7", Bytes.ofUtf8("small")).build();
    try (Ledger ledger = world.open()) {
      ledger.commit(genesis);
      world.disk.limitBytes(world.disk.usedBytes() + 250_000);
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> ledger.commit(large.build()))
          .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
      world.disk.limitBytes(Long.MAX_VALUE);
      ledger.commit(small);
      Replay.of(List.of(genesis, small)).assertToldBy(ledger);
      assertThat(ledger.transaction("large 8")).isEmpty();
    }
    try (Ledger ledger = world.open()) {
      Replay.of(List.of(genesis, small)).assertToldBy(ledger);
    }
  }

  /** The block is committed, but state or history did not follow: nobody sees a part of it. */
  @Test
  void aBlockThatStateDidNotFollowIsCommittedAndNotSeenByHalves() {
    World world = fresh();
    Story story = begun(world);
    long seen = 0;
    for (int write = 1; seen < 2 && write < 12; write++) {
      world.plan.at(Call.WRITE, world.plan.calls(Call.WRITE) + write, Fault.FAIL);
      try {
        story.commit(1);
      } catch (StorageException e) {
        if (e.committedHeight().isPresent()) {
          seen++;
          assertThat(e.committedHeight()).hasValue(story.attempted);
          assertThat(story.ledger.height()).isEqualTo(story.attempted - 1);
          assertThatExceptionOfType(StorageException.class)
              .isThrownBy(() -> story.ledger.view())
              .withMessageContaining("open the ledger again");
          assertWritesAreRefused(story.ledger, story.attempted);
        }
        world.plan.repair();
        reopen(world, story, e.committedHeight().orElse(story.attempted - 1));
      }
      world.plan.repair();
    }
    assertThat(seen).isEqualTo(2);
    story.runTo(HEIGHT - 1);
  }

  @Test
  void aSizeThatCannotBeToldIsNoFailureOfACommit() {
    World world = fresh();
    HookedStorage storage = new HookedStorage(world.disk, world.limits);
    storage.hook =
        call -> {
          if (call.endsWith("size")) {
            throw new StorageException(StorageException.Kind.FATAL, "the test wanted it so");
          }
        };
    try (Ledger ledger = world.open(storage.settings(world))) {
      script.blocks.forEach(ledger::commit);
      assertThat(ledger.height()).isEqualTo(HEIGHT - 1);
      assertThatExceptionOfType(StorageException.class).isThrownBy(ledger::status);
    }
  }

  /** An error is no failure that anybody handles; but nothing may go on after it as if it were. */
  @Test
  void noErrorLetsABlockBePassedOver() {
    for (int write = 1; write <= 5; write++) {
      World world = fresh();
      HookedStorage storage = new HookedStorage(world.disk, world.limits);
      Ledger ledger = world.open(storage.settings(world));
      ledger.commitAll(script.blocks.subList(0, 4));
      AtomicInteger left = new AtomicInteger(write);
      storage.hook =
          call -> {
            if (call.endsWith("write") && left.decrementAndGet() == 0) {
              throw new OutOfMemoryError("the test wanted it so");
            }
          };
      assertThatExceptionOfType(OutOfMemoryError.class)
          .isThrownBy(() -> ledger.commit(script.blocks.get(4)));
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> ledger.commit(script.blocks.get(4)))
          .withMessageContaining("open the ledger again");
      ledger.close();
      try (Ledger again = world.open()) {
        again.commitAll(script.blocks.subList(4, 6));
        script.assertHolds(world, 5);
      }
    }
  }

  /** A ledger that could not be closed in order still gives its directory free. */
  @Test
  void aCloseThatFailsClosesAllTheSame() {
    World world = fresh();
    HookedStorage storage = new HookedStorage(world.disk, world.limits);
    for (Throwable failure :
        List.of(
            new StorageException(StorageException.Kind.FATAL, "flush"),
            new OutOfMemoryError("flush"))) {
      storage.hook = call -> {};
      Ledger ledger = world.open(storage.settings(world));
      ledger.commit(script.blocks.get((int) ledger.height() + 1));
      storage.hook =
          call -> {
            if (call.endsWith("flush")) {
              sneak(failure);
            }
          };
      assertThatExceptionOfType(failure.getClass()).isThrownBy(ledger::close);
      ledger.close();
      world.disk.assertAllClosed();
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.height()).isEqualTo(1);
      script.assertHolds(world, 1);
    }
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void sneak(Throwable failure) throws E {
    throw (E) failure;
  }
}
