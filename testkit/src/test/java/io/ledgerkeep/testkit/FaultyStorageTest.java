package io.ledgerkeep.testkit;

import static io.ledgerkeep.storage.StorageEngine.Durability.BUFFERED;
import static io.ledgerkeep.storage.StorageEngine.Durability.DURABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FaultyStorageTest {

  private static final Path DIRECTORY = Path.of("store");
  private static final Bytes KEY = Bytes.ofUtf8("key");

  private final MemoryDisk disk = new MemoryDisk(1);
  private final FaultPlan plan = new FaultPlan().whenCrashing(disk::crashLosingAllBuffered);
  private final FaultyStorage storage = new FaultyStorage(new InMemoryStorage(disk), plan);
  private final StorageEngine engine = storage.open(DIRECTORY, Options.none());

  private static WriteBatch batch(int number) {
    return new WriteBatch().put(KEY, Bytes.ofUtf8("value " + number));
  }

  private StorageEngine reopened() {
    engine.close();
    return new InMemoryStorage(disk).open(DIRECTORY, Options.none());
  }

  @Test
  void withoutFaultsEverythingGoesToTheEngineBehindAndIsCounted() {
    engine.write(batch(1), BUFFERED);
    engine.flush();
    engine.compact(KeyRange.all());
    try (StorageEngine.Snapshot snapshot = engine.snapshot();
        StorageEngine.Cursor cursor = snapshot.scan(KeyRange.all())) {
      assertThat(cursor.next()).isTrue();
      assertThat(snapshot.get(KEY)).isEqualTo(engine.get(KEY)).isPresent();
    }
    engine.deleteRange(KeyRange.all());
    try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
      assertThat(cursor.next()).isFalse();
    }

    assertThat(plan.calls(Call.CHANGES)).isEqualTo(4);
    assertThat(plan.calls(Call.GET)).isEqualTo(2);
    assertThat(plan.calls(Call.SCAN)).isEqualTo(2);
    assertThat(plan.calls(Call.ALL)).isEqualTo(10);
    assertThat(engine.sizeBytes()).isPositive();
    assertThat(engine.limits()).isEqualTo(InMemoryStorage.ROOMY_LIMITS);
  }

  @Test
  void aCallThatFailsDoesNothingAndOnlyThatOne() {
    plan.at(Call.WRITE, 2, Fault.FAIL);
    engine.write(batch(1), DURABLE);

    assertThatThrownBy(() -> engine.write(batch(2), DURABLE))
        .isInstanceOfSatisfying(StorageException.class, e -> assertThat(e.isRetryable()).isTrue());
    assertThat(engine.get(KEY)).contains(Bytes.ofUtf8("value 1"));
    engine.write(batch(3), DURABLE);
    assertThat(engine.get(KEY)).contains(Bytes.ofUtf8("value 3"));
  }

  @Test
  void aFaultCanLastUntilItIsRepaired() {
    plan.from(Call.CHANGES, 2, Fault.OUT_OF_SPACE);
    engine.write(batch(1), DURABLE);

    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(engine::flush)
          .isInstanceOfSatisfying(
              StorageException.class, e -> assertThat(e.isOutOfSpace()).isTrue());
    }
    plan.repair();
    assertThatCode(engine::flush).doesNotThrowAnyException();
  }

  @Test
  void aLostAnswerHidesThatTheBatchWasApplied() {
    plan.at(Call.WRITE, 1, Fault.LOSE_ANSWER);

    assertThatThrownBy(() -> engine.write(batch(1), DURABLE))
        .isInstanceOfSatisfying(StorageException.class, e -> assertThat(e.isRetryable()).isFalse());
    assertThat(engine.get(KEY)).contains(Bytes.ofUtf8("value 1"));
  }

  @Test
  void aLostAnswerLeavesNothingOpen() {
    plan.at(Call.SCAN, 1, Fault.LOSE_ANSWER).at(Call.SNAPSHOT, 1, Fault.LOSE_ANSWER);

    assertThatThrownBy(() -> engine.scan(KeyRange.all())).isInstanceOf(StorageException.class);
    assertThatThrownBy(engine::snapshot).isInstanceOf(StorageException.class);
    engine.close();
    disk.assertAllClosed();
  }

  @Test
  void afterACrashNothingRunsAnyMore() {
    engine.write(batch(1), DURABLE);
    engine.write(batch(2), BUFFERED);
    plan.at(Call.WRITE, 3, Fault.CRASH_BEFORE);

    assertThatThrownBy(() -> engine.write(batch(3), DURABLE)).isInstanceOf(MachineCrash.class);
    assertThatThrownBy(() -> engine.get(KEY)).isInstanceOf(MachineCrash.class);
    assertThatThrownBy(engine::flush).isInstanceOf(MachineCrash.class);
    assertThatThrownBy(() -> storage.open(DIRECTORY, Options.none()))
        .isInstanceOf(MachineCrash.class);
    assertThat(reopened().get(KEY)).contains(Bytes.ofUtf8("value 1"));
  }

  @Test
  void aCrashAfterAWriteKeepsIt() {
    plan.at(Call.WRITE, 1, Fault.CRASH_AFTER);

    assertThatThrownBy(() -> engine.write(batch(1), DURABLE)).isInstanceOf(MachineCrash.class);
    assertThat(reopened().get(KEY)).contains(Bytes.ofUtf8("value 1"));
  }

  @Test
  void randomFaultsFollowTheSeedAndTellIt() {
    assertThat(failures(5)).isEqualTo(failures(5)).isNotEqualTo(failures(6));
    assertThat(failures(5).size()).isBetween(10, 40);

    plan.oneIn(1, Call.ALL, Fault.FAIL, 42);
    assertThatThrownBy(engine::flush).hasMessageContaining("42");
    assertThat(plan.toString()).contains("42");
  }

  /** Returns which of a hundred calls fail when one in four does. */
  private static List<Integer> failures(long seed) {
    FaultPlan random = new FaultPlan().oneIn(4, Call.ALL, Fault.FAIL, seed);
    StorageEngine faulty =
        new FaultyStorage(new InMemoryStorage(new MemoryDisk(1)), random)
            .open(DIRECTORY, Options.none());
    List<Integer> failed = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      try {
        faulty.flush();
      } catch (StorageException e) {
        failed.add(i);
      }
    }
    return failed;
  }

  @Test
  void onePlanCountsTheCallsOfEnginesAndStoresTogether() {
    InMemoryArchiveStore memory = new InMemoryArchiveStore();
    FaultyArchiveStore store = new FaultyArchiveStore(memory, plan);
    plan.at(Call.CHANGES, 3, Fault.LOSE_ANSWER).at(Call.STORE_GET, 1, Fault.FAIL);

    engine.write(batch(1), DURABLE);
    store.put("a", KEY::writeTo);
    assertThatThrownBy(() -> store.delete("a")).isInstanceOf(StorageException.class);

    assertThat(memory.list("")).isEmpty();
    assertThat(store.size("a")).isEmpty();
    assertThat(store.list("")).isEmpty();
    assertThatThrownBy(() -> store.get("a", 0, 1)).hasMessageContaining("FAIL at STORE_GET");
    assertThat(store.place()).isEqualTo("memory");
    store.close();
    assertThatThrownBy(memory::place).isInstanceOf(IllegalStateException.class);
  }
}
