package io.ledgerkeep.testkit.contract;

import static io.ledgerkeep.storage.StorageEngine.Durability.BUFFERED;
import static io.ledgerkeep.storage.StorageEngine.Durability.DURABLE;
import static io.ledgerkeep.testkit.contract.Samples.deleteAll;
import static io.ledgerkeep.testkit.contract.Samples.key;
import static io.ledgerkeep.testkit.contract.Samples.noise;
import static io.ledgerkeep.testkit.contract.Samples.putAll;
import static io.ledgerkeep.testkit.contract.Samples.range;
import static io.ledgerkeep.testkit.contract.Samples.read;
import static io.ledgerkeep.testkit.contract.Samples.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngine.Limits;
import io.ledgerkeep.storage.StorageEngine.Snapshot;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks that an engine keeps the rules of {@link StorageEngine}; each test is named after the rule
 * that it checks.
 *
 * <pre>{@code
 * final class MyEngineTest extends StorageEngineContract {
 *   @Override
 *   protected StorageEngineProvider provider() {
 *     return new MyEngineProvider();
 *   }
 * }
 * }</pre>
 *
 * <p>What not every engine can be made to suffer in a test - a crash of the machine, damage, a full
 * disk - is played by hooks; where a hook returns false, the tests that need it are skipped.
 */
@SuppressWarnings("exports") // who uses the fakes alone needs no JUnit
public abstract class StorageEngineContract {

  private static final int THREADS = 4;
  private static final int PASSES = 200;
  private static final long PAUSE_NANOS = 50_000;

  /** No test allocates more than this to reach a limit. */
  private static final int TESTABLE_BYTES = 64 << 20;

  private final List<StorageEngine> opened = new ArrayList<>();
  private Path directory = Path.of("");

  /** Creates the contract; JUnit makes one for each test. */
  protected StorageEngineContract() {}

  /** Returns the provider to be checked, always the same within a test. */
  protected abstract StorageEngineProvider provider();

  /** Returns the options to open stores with; none by default. */
  protected Options options() {
    return Options.none();
  }

  /**
   * Plays a crash of the machine: the engine is dead, and the store of the directory, which can be
   * opened again, holds what a crash may leave of it. Returns false where that cannot be played.
   */
  protected boolean crashMachine(StorageEngine engine, Path storeDirectory) {
    return false;
  }

  /** Returns how often some tests crash the machine; fewer times will do where that takes long. */
  protected int crashes() {
    return 20;
  }

  /**
   * Damages what is stored in the directory such that the value at the key, among others maybe, is
   * not what was written. The store is closed. Returns false where that cannot be played.
   */
  protected boolean damage(Path storeDirectory, Bytes key) {
    return false;
  }

  /**
   * Leaves room for about so many more bytes on the disk of the directory. The store is open.
   * Returns false where that cannot be played.
   */
  protected boolean limitDisk(Path storeDirectory, long freeBytes) {
    return false;
  }

  /** Gives back the room that {@link #limitDisk} took. */
  protected void unlimitDisk(Path storeDirectory) {}

  /**
   * Returns whether another process can open the store of a directory, by default true. The
   * provider then has a public constructor without arguments.
   */
  protected boolean isSharedWithOtherProcesses() {
    return true;
  }

  /** Chooses the directory of the test. Called by JUnit. */
  @BeforeEach
  public void prepare(@TempDir Path temporary) {
    directory = temporary.resolve("store");
  }

  /** Closes what the test left open. Called by JUnit. */
  @AfterEach
  public void closeAll() {
    opened.forEach(StorageEngine::close);
  }

  private StorageEngine open() {
    return open(directory);
  }

  private StorageEngine open(Path storeDirectory) {
    StorageEngine engine = provider().open(storeDirectory, options());
    opened.add(engine);
    return engine;
  }

  private StorageEngine reopen(StorageEngine engine) {
    engine.close();
    return open();
  }

  private StorageEngine crashAndReopen(StorageEngine engine) {
    assumeTrue(
        crashMachine(engine, directory),
        "not this backend: a crash of the machine cannot be played");
    return open();
  }

  private static NavigableMap<Bytes, Bytes> content(StorageEngine engine) {
    return read(engine::scan, KeyRange.all());
  }

  private static void put(StorageEngine engine, Bytes key, Bytes value) {
    engine.write(new WriteBatch().put(key, value), BUFFERED);
  }

  /** Puts the value at keys {@code from} until {@code until}, within the limits of any engine. */
  private static void fill(StorageEngine engine, int from, int until, Bytes value) {
    for (int i = from; i < until; i++) {
      put(engine, key(i), value);
    }
  }

  private static void delete(StorageEngine engine, Bytes key) {
    engine.write(new WriteBatch().delete(key), BUFFERED);
  }

  // ---- opening

  @Test
  public void theProviderHasANameOfLowerCaseLettersDigitsAndHyphens() {
    assertThat(provider().name()).matches("[a-z0-9-]+");
  }

  @Test
  public void anUnknownOptionIsRefusedAndTheStoreStaysFree() {
    Options unknown = options().with("no-such-option", "1");

    assertThatThrownBy(() -> provider().open(directory, unknown))
        .isInstanceOf(ConfigurationException.class);
    assertThat(content(open())).isEmpty();
  }

  // ---- rule 1: order, and bytes come back as they were put

  @Test
  public void rule1_keysComeInTheOrderOfUnsignedBytes() {
    List<String> ascending =
        List.of("00", "0000", "0001", "01", "7f", "7fff", "80", "8000", "fe", "ff", "ff00", "ffff");
    StorageEngine engine = open();
    for (int i = 0; i < ascending.size(); i++) {
      put(engine, Bytes.fromHex(ascending.get(i * 7 % ascending.size())), Bytes.EMPTY);
    }

    List<String> found = new ArrayList<>();
    try (Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        found.add(cursor.key().hex());
      }
    }
    assertThat(found).isEqualTo(ascending);
  }

  @Test
  public void rule1_aScanBeginsAtTheFirstKeyOfTheRangeAndStopsBeforeItsEnd() {
    StorageEngine engine = open();
    engine.write(putAll(0, 10, value(0)), BUFFERED);

    assertThat(read(engine::scan, range(3, 6)).keySet()).containsExactly(key(3), key(4), key(5));
    assertThat(read(engine::scan, KeyRange.atLeast(key(8))).keySet())
        .containsExactly(key(8), key(9));
    assertThat(read(engine::scan, range(4, 4))).isEmpty();
    assertThat(read(engine::scan, range(20, 30))).isEmpty();
    try (Snapshot snapshot = engine.snapshot()) {
      assertThat(read(snapshot::scan, range(8, 20)).keySet()).containsExactly(key(8), key(9));
    }
  }

  @Test
  public void rule1_aCursorStaysAtItsEnd() {
    StorageEngine engine = open();
    engine.write(putAll(0, 5, value(0)), BUFFERED);

    try (Cursor cursor = engine.scan(range(0, 2))) {
      assertThat(read(cursor)).hasSize(2);
      assertThat(cursor.next()).isFalse();
      assertThat(cursor.next()).isFalse();
    }
  }

  @Test
  public void rule1_keysAndValuesComeBackAsTheyWerePut() {
    NavigableMap<Bytes, Bytes> expected = new TreeMap<>();
    for (int i = 0; i < 256; i++) {
      expected.put(Bytes.wrap(new byte[] {(byte) i}), noise(i, i));
    }
    Bytes large = noise(1, 60_000);
    expected.put(large.slice(10, 40_000), large.slice(5, 50_000));
    StorageEngine engine = open();
    expected.forEach((key, value) -> put(engine, key, value));

    assertThat(content(engine)).isEqualTo(expected);
    assertThat(expected).allSatisfy((key, value) -> assertThat(engine.get(key)).contains(value));
  }

  @Test
  public void rule1_anEmptyValueIsNoAbsentOne() {
    StorageEngine engine = open();
    put(engine, key(1), Bytes.EMPTY);

    assertThat(engine.get(key(1))).contains(Bytes.EMPTY);
    assertThat(content(engine)).containsOnly(Map.entry(key(1), Bytes.EMPTY));
    assertThat(content(reopen(engine))).containsOnly(Map.entry(key(1), Bytes.EMPTY));
  }

  @Test
  public void rule1_keysAskedForTogetherAreAnsweredInTheirOrder() {
    StorageEngine engine = open();
    Map<Bytes, Bytes> values = new HashMap<>();
    for (int i = 0; i < 3_000; i += 12) {
      values.put(key(i), noise(i, 12_000));
    }
    values.forEach((key, value) -> put(engine, key, value));
    List<Bytes> keys = new ArrayList<>(List.of(Bytes.EMPTY, key(12), key(0), key(12), Bytes.EMPTY));
    for (int i = 3_000; i >= 0; i--) {
      keys.add(key(i));
    }
    List<Optional<Bytes>> expected =
        keys.stream().map(key -> Optional.ofNullable(values.get(key))).toList();

    assertThat(engine.getAll(keys)).isEqualTo(expected);
    assertThat(engine.getAll(List.of())).isEmpty();
    try (Snapshot snapshot = engine.snapshot()) {
      put(engine, key(1), value(1));
      delete(engine, key(12));

      assertThat(snapshot.getAll(keys)).isEqualTo(expected);
    }
  }

  // ---- rule 2: a batch is all or nothing

  @Test
  public void rule2_ofTwoMutationsOfAKeyTheLaterHolds() {
    StorageEngine engine = open();
    engine.write(
        new WriteBatch()
            .put(key(1), value(1))
            .put(key(1), value(2))
            .put(key(2), value(1))
            .delete(key(2))
            .delete(key(3))
            .put(key(3), value(3)),
        DURABLE);

    assertThat(content(engine))
        .containsOnly(Map.entry(key(1), value(2)), Map.entry(key(3), value(3)));
    assertThat(engine.get(key(2))).isEmpty();
  }

  @Test
  public void rule2_noReadShowsAPartOfABatch() {
    StorageEngine engine = open();
    putGeneration(engine, 0);

    whileGenerationsAreWritten(
        engine,
        () -> {
          long first = generation(engine.get(key(0)));
          long last = generation(engine.get(key(9)));
          long firstAgain = generation(engine.get(key(0)));
          assertThat(last).isBetween(first, firstAgain);
        });
  }

  @Test
  public void rule2_aCrashLeavesWholeBatches() {
    StorageEngine engine = open();
    for (int round = 1; round <= crashes() / 2; round++) {
      for (int i = 0; i < 20; i++) {
        putGeneration(engine, round * 100 + i);
      }
      engine = crashAndReopen(engine);

      assertThat(content(engine).values().stream().distinct().count()).isLessThanOrEqualTo(1);
      assertThat(content(engine).size()).isIn(0, 10);
    }
  }

  /** Writes ten keys in one batch, all with the same value. */
  private static void putGeneration(StorageEngine engine, long generation) {
    engine.write(putAll(0, 10, Bytes.ofUtf8(Long.toString(generation))), BUFFERED);
  }

  private static long generation(Optional<Bytes> value) {
    return Long.parseLong(value.orElseThrow().utf8());
  }

  /**
   * Lets several threads check while one writes generations: each a number of times, and until so
   * many generations came that some were written in the middle of a check.
   */
  private static void whileGenerationsAreWritten(StorageEngine engine, Crowd.Task check) {
    AtomicLong written = new AtomicLong();
    AtomicBoolean writing = new AtomicBoolean(true);
    CountDownLatch checking = new CountDownLatch(THREADS);
    List<Crowd.Task> tasks = new ArrayList<>();
    tasks.add(
        () -> {
          try {
            while (checking.getCount() > 0) {
              putGeneration(engine, written.get() + 1);
              if (written.incrementAndGet() > PASSES) {
                LockSupport.parkNanos(PAUSE_NANOS); // or readers pass by ever more old generations
              }
            }
          } finally {
            writing.set(false);
          }
        });
    for (int i = 0; i < THREADS; i++) {
      tasks.add(
          () -> {
            try {
              for (int pass = 0; pass < PASSES || written.get() < PASSES; pass++) {
                check.run();
                assertThat(writing).as("the writer goes on").isTrue();
              }
            } finally {
              checking.countDown();
            }
          });
    }
    Crowd.run(tasks);
  }

  // ---- rules 3 and 4: what a crash leaves

  @Test
  public void rule3_aDurableWriteSurvivesACrash() {
    StorageEngine engine = open();
    for (int i = 0; i < crashes(); i++) {
      engine.write(new WriteBatch().put(key(i), value(i)).put(key(1000), value(i)), DURABLE);
      engine.write(new WriteBatch().delete(key(i - 1)), DURABLE);
      engine = crashAndReopen(engine);

      assertThat(content(engine))
          .containsOnly(Map.entry(key(i), value(i)), Map.entry(key(1000), value(i)));
    }
  }

  @Test
  public void rule3_aDurableWriteSurvivesACrashThatTakesBufferedOnesBeforeIt() {
    StorageEngine engine = open();
    for (int i = 0; i < crashes(); i++) {
      put(engine, key(i), value(-1));
      put(engine, key(2000 + i), noise(i, 10_000));
      engine.write(new WriteBatch().put(key(i), value(i)), DURABLE);
      engine = crashAndReopen(engine);

      assertThat(read(engine::scan, range(0, 1000))).hasSize(i + 1);
      assertThat(engine.get(key(i))).contains(value(i));
    }
  }

  @Test
  public void rule4_aCrashTakesBufferedWritesOnlyFromTheEnd() {
    StorageEngine engine = open();
    for (int round = 0; round < crashes(); round++) {
      int first = round * 10;
      for (int i = first; i < first + 10; i++) {
        put(engine, key(i), value(i));
      }
      engine.write(new WriteBatch().put(key(1_000_000 + round), value(0)), DURABLE);
      engine = crashAndReopen(engine);

      assertThat(engine.get(key(1_000_000 + round))).contains(value(0));
      int survivors = read(engine::scan, range(first, first + 10)).size();
      assertThat(read(engine::scan, range(first, first + survivors))).hasSize(survivors);
    }
  }

  @Test
  public void rule4_flushMakesTheWritesBeforeItDurable() {
    StorageEngine engine = open();
    for (int i = 0; i < crashes(); i++) {
      put(engine, key(i), value(i));
      delete(engine, key(i - 1));
      engine.flush();
      put(engine, key(1000), value(i));
      engine = crashAndReopen(engine);

      assertThat(read(engine::scan, range(0, 1000))).containsOnly(Map.entry(key(i), value(i)));
    }
  }

  @Test
  public void rule4_theDeathOfTheProcessLosesNoWriteThatReturned() {
    assumeTrue(isSharedWithOtherProcesses(), "not this backend: the store lives in one process");
    int count = 250;

    List<String> said =
        OtherProcess.runUntil(provider(), options(), directory, count, OtherProcess.WRITTEN);

    assertThat(said).contains(OtherProcess.WRITTEN);
    assertThat(content(open())).isEqualTo(numbered(count));
  }

  private static NavigableMap<Bytes, Bytes> numbered(int count) {
    NavigableMap<Bytes, Bytes> content = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      content.put(key(i), value(i));
    }
    return content;
  }

  // ---- rule 5: a write that returned is seen

  @Test
  public void rule5_aWriteIsSeenByEveryLaterRead() {
    StorageEngine engine = open();
    for (Durability durability : Durability.values()) {
      for (int i = 0; i < 50; i++) {
        engine.write(
            new WriteBatch().put(key(i), value(i)).put(key(100), value(i)).delete(key(i - 1)),
            durability);

        Map<Bytes, Bytes> expected = Map.of(key(i), value(i), key(100), value(i));
        assertThat(engine.get(key(i))).contains(value(i));
        assertThat(engine.get(key(i - 1))).isEmpty();
        assertThat(engine.get(key(100))).contains(value(i));
        assertThat(content(engine)).isEqualTo(expected);
        try (Snapshot snapshot = engine.snapshot()) {
          assertThat(snapshot.get(key(100))).contains(value(i));
          assertThat(read(snapshot::scan, KeyRange.all())).isEqualTo(expected);
        }
      }
      delete(engine, key(49));
    }
  }

  @Test
  public void rule5_aWriteIsSeenInEveryThread() {
    StorageEngine engine = open();
    CyclicBarrier turn = new CyclicBarrier(THREADS);
    List<Crowd.Task> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      int me = i;
      tasks.add(() -> writeInTurnAndRead(engine, me, turn));
    }
    Crowd.run(tasks);
  }

  /** Writes a generation when it is this thread's turn, and reads each once it was written. */
  private static void writeInTurnAndRead(StorageEngine engine, int me, CyclicBarrier turn)
      throws Exception {
    for (int i = 0; i < PASSES; i++) {
      if (i % THREADS == me) {
        putGeneration(engine, i);
      }
      turn.await();
      assertThat(generation(engine.get(key(5)))).isEqualTo(i);
      assertThat(content(engine)).hasSize(10).containsEntry(key(5), engine.get(key(5)).get());
      turn.await();
    }
  }

  // ---- rule 6: one moment

  @Test
  public void rule6_aScanSeesTheMomentItBegan() {
    StorageEngine engine = open();
    fill(engine, 0, 100, value(1));
    NavigableMap<Bytes, Bytes> before = content(engine);

    try (Cursor cursor = engine.scan(KeyRange.all())) {
      changeEverything(engine);
      assertThat(read(cursor)).isEqualTo(before);
    }
  }

  @Test
  public void rule6_aScanUnderWayGoesOnInItsMoment() {
    StorageEngine engine = open();
    fill(engine, 0, 100, value(1));

    try (Cursor cursor = engine.scan(KeyRange.all())) {
      assertThat(cursor.next()).isTrue();
      changeEverything(engine);
      assertThat(cursor.key()).isEqualTo(key(0));
      assertThat(cursor.value()).isEqualTo(value(1));
      assertThat(read(cursor)).hasSize(99).allSatisfy((k, v) -> assertThat(v).isEqualTo(value(1)));
    }
  }

  @Test
  public void rule6_aSnapshotSeesOneMomentUntilItIsClosed() {
    StorageEngine engine = open();
    fill(engine, 0, 100, value(1));
    NavigableMap<Bytes, Bytes> before = content(engine);

    try (Snapshot snapshot = engine.snapshot()) {
      changeEverything(engine);
      engine.flush();
      engine.compact(KeyRange.all());

      assertThat(read(snapshot::scan, KeyRange.all())).isEqualTo(before);
      assertThat(snapshot.get(key(10))).contains(value(1));
      assertThat(snapshot.get(key(60))).contains(value(1));
      assertThat(snapshot.get(key(150))).isEmpty();
    }
  }

  /** Replaces keys 0 to 49, deletes 50 to 99, and adds 100 to 199. */
  private static void changeEverything(StorageEngine engine) {
    for (int i = 0; i < 50; i++) {
      put(engine, key(i), value(2));
      delete(engine, key(50 + i));
      put(engine, key(100 + i), value(2));
      put(engine, key(150 + i), value(2));
    }
  }

  @Test
  public void rule6_severalSnapshotsSeeEachItsMoment() {
    StorageEngine engine = open();
    List<Snapshot> snapshots = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      put(engine, key(0), value(i));
      put(engine, key(i + 1), value(i));
      snapshots.add(engine.snapshot());
    }
    snapshots.remove(4).close();

    for (int i = 0; i < 10; i++) {
      int at = i;
      if (i != 4) {
        Snapshot snapshot = snapshots.get(i < 4 ? i : i - 1);
        assertThat(snapshot.get(key(0))).as("snapshot %s", at).contains(value(i));
        assertThat(read(snapshot::scan, KeyRange.all())).as("snapshot %s", at).hasSize(i + 2);
      }
    }
    snapshots.forEach(Snapshot::close);
  }

  @Test
  public void rule6_aScanSeesWholeBatchesWhileOthersWrite() {
    StorageEngine engine = open();
    putGeneration(engine, 0);

    whileGenerationsAreWritten(engine, () -> assertOneGeneration(content(engine)));
  }

  @Test
  public void rule6_aSnapshotSeesWholeBatchesWhileOthersWrite() {
    StorageEngine engine = open();
    putGeneration(engine, 0);

    whileGenerationsAreWritten(
        engine,
        () -> {
          try (Snapshot snapshot = engine.snapshot()) {
            NavigableMap<Bytes, Bytes> found = new TreeMap<>();
            for (int i = 0; i < 10; i++) {
              found.put(key(i), snapshot.get(key(i)).orElseThrow());
            }
            assertOneGeneration(found);
            assertThat(read(snapshot::scan, KeyRange.all())).isEqualTo(found);
          }
        });
  }

  private static void assertOneGeneration(Map<Bytes, Bytes> found) {
    assertThat(found).hasSize(10);
    assertThat(found.values().stream().distinct().count()).isEqualTo(1);
  }

  // ---- rule 7: deleting a range

  @Test
  public void rule7_deleteRangeRemovesTheRangeAndNothingElse() {
    StorageEngine engine = open();
    fill(engine, 0, 100, value(1));

    engine.deleteRange(range(30, 60));

    assertThat(content(engine)).hasSize(70);
    assertThat(read(engine::scan, range(30, 60))).isEmpty();
    assertThat(engine.get(key(29))).contains(value(1));
    assertThat(engine.get(key(30))).isEmpty();
    assertThat(engine.get(key(59))).isEmpty();
    assertThat(engine.get(key(60))).contains(value(1));
    assertThat(content(reopen(engine))).hasSize(70);
  }

  @Test
  public void rule7_aRangeWithoutEndGoesToTheLastKey() {
    StorageEngine engine = open();
    fill(engine, 0, 20, value(1));
    put(engine, Bytes.fromHex("ffffffff"), value(1));

    engine.deleteRange(KeyRange.atLeast(key(10)));
    assertThat(content(engine).keySet()).hasSize(10).allMatch(range(0, 10)::contains);

    engine.deleteRange(KeyRange.all());
    assertThat(content(engine)).isEmpty();
  }

  @Test
  public void rule7_aRangeOfMoreKeysThanABatchMayHaveIsRemoved() {
    StorageEngine engine = open();
    int count = (int) Math.min(engine.limits().maxBatchCount() * 3L, 30_000);
    for (int i = 0; i < count; i += 10) {
      engine.write(putAll(i, i + 10, value(1)), BUFFERED);
    }

    engine.deleteRange(range(0, count));

    assertThat(content(engine).keySet()).allMatch(key -> key.compareTo(key(count)) >= 0);
  }

  @Test
  public void rule7_deletingARangeAgainDoesNothing() {
    StorageEngine engine = open();
    engine.deleteRange(KeyRange.all());
    fill(engine, 0, 20, value(1));

    engine.deleteRange(range(5, 10));
    engine.deleteRange(range(5, 10));
    engine.deleteRange(range(0, 0));
    engine.deleteRange(range(500, 600));

    assertThat(content(engine)).hasSize(15);
  }

  @Test
  public void rule7_deleteRangeIsDurableWhenItReturns() {
    StorageEngine engine = open();
    for (int round = 0; round < 20; round++) {
      engine.write(putAll(0, 10, value(round)), round % 2 == 0 ? DURABLE : BUFFERED);
      engine.deleteRange(range(3, 7));
      engine = crashAndReopen(engine);

      assertThat(read(engine::scan, range(3, 7))).isEmpty();
    }
    assertThat(content(engine)).hasSize(6);
  }

  @Test
  public void rule7_whatWasDeletedFromTheRangeBeforeStaysDeletedToo() {
    StorageEngine engine = open();
    for (int round = 0; round < 20; round++) {
      engine.write(putAll(0, 10, value(round)), DURABLE);
      engine.write(deleteAll(3, 7), BUFFERED);
      engine.deleteRange(range(3, 7));
      engine = crashAndReopen(engine);

      assertThat(read(engine::scan, range(3, 7))).isEmpty();
    }
  }

  @Test
  public void rule7_whatIsWrittenToTheRangeAfterwardsStays() {
    StorageEngine engine = open();
    engine.write(putAll(0, 10, value(1)), DURABLE);
    engine.deleteRange(range(0, 10));

    engine.write(putAll(4, 6, value(2)), DURABLE);
    engine.flush();
    engine.compact(KeyRange.all());

    assertThat(content(engine)).containsOnlyKeys(key(4), key(5));
    assertThat(content(reopen(engine))).containsOnlyKeys(key(4), key(5));
  }

  @Test
  public void rule7_olderSnapshotsKeepWhatLiesOutsideTheRange() {
    StorageEngine engine = open();
    fill(engine, 0, 30, value(1));

    try (Snapshot snapshot = engine.snapshot();
        Cursor cursor = engine.scan(KeyRange.all())) {
      engine.deleteRange(range(10, 20));
      fill(engine, 0, 30, value(2));

      assertKeepsOutside(read(snapshot::scan, KeyRange.all()));
      assertKeepsOutside(read(cursor));
      assertThat(snapshot.get(key(5))).contains(value(1));
      assertThat(snapshot.get(key(15)).orElse(value(1))).isEqualTo(value(1));
    }
  }

  private static void assertKeepsOutside(NavigableMap<Bytes, Bytes> found) {
    assertThat(found.subMap(key(0), key(10))).hasSize(10);
    assertThat(found.tailMap(key(20))).hasSize(10);
    assertThat(found.values()).containsOnly(value(1));
  }

  // ---- rule 8: compaction

  @Test
  public void rule8_compactChangesNoAnswer() {
    StorageEngine engine = open();
    fill(engine, 0, 100, value(1));
    changeEverything(engine);
    engine.deleteRange(range(20, 30));
    NavigableMap<Bytes, Bytes> before = content(engine);

    engine.compact(range(10, 40));
    assertThat(content(engine)).isEqualTo(before);
    engine.compact(KeyRange.all());
    engine.compact(range(5, 5));

    assertThat(content(engine)).isEqualTo(before);
    assertThat(content(reopen(engine))).isEqualTo(before);
  }

  @Test
  public void rule8_compactGivesBackTheSpaceOfADeletedRange() {
    assertSpaceComesBack(engine -> engine.deleteRange(range(0, SPACE_ROWS)));
  }

  @Test
  public void rule8_compactGivesBackTheSpaceOfDeletedKeys() {
    assertSpaceComesBack(
        engine -> {
          for (int i = 0; i < SPACE_ROWS; i++) {
            delete(engine, key(i));
          }
        });
  }

  private static final int SPACE_ROWS = 400;
  private static final int SPACE_ROW_BYTES = 40_000;

  private void assertSpaceComesBack(Consumer<StorageEngine> deletion) {
    StorageEngine engine = open();
    for (int i = 0; i < SPACE_ROWS; i++) {
      put(engine, key(i), noise(i, SPACE_ROW_BYTES));
    }
    put(engine, key(SPACE_ROWS), value(1));
    engine.flush();
    engine.compact(KeyRange.all());
    long full = engine.sizeBytes();
    assertThat(full).isGreaterThanOrEqualTo((long) SPACE_ROWS * SPACE_ROW_BYTES);

    deletion.accept(engine);
    engine.flush();
    engine.compact(range(0, SPACE_ROWS));

    assertThat(engine.sizeBytes()).isLessThan(full / 2);
    assertThat(content(engine)).containsOnly(Map.entry(key(SPACE_ROWS), value(1)));
  }

  // ---- rule 9: limits

  @Test
  public void rule9_theLongestKeyWithTheLargestValueIsAccepted() {
    StorageEngine engine = open();
    Limits limits = engine.limits();
    Bytes key = noise(1, limits.maxKeyBytes());
    Bytes value = noise(2, testable(limits.maxValueBytes()));

    engine.write(new WriteBatch().put(key, value), DURABLE);

    assertThat(engine.get(key)).contains(value);
    StorageEngine again = reopen(engine);
    assertThat(again.get(key)).contains(value);
    assertThat(again.limits()).isEqualTo(limits);
  }

  @Test
  public void rule9_theBatchOfMostBytesIsAccepted() {
    StorageEngine engine = open();
    Limits limits = engine.limits();
    WriteBatch batch = batchOf(testable(limits.maxBatchBytes()), limits);

    engine.write(batch, DURABLE);

    assertHolds(engine, batch);
  }

  @Test
  public void rule9_theBatchOfMostMutationsIsAccepted() {
    StorageEngine engine = open();
    int count =
        (int) Math.min(engine.limits().maxBatchCount(), engine.limits().maxBatchBytes() / 6);
    assumeTrue(count <= TESTABLE_BYTES / 100, "not this backend: the limit is too high for a test");

    engine.write(putAll(0, count, Bytes.EMPTY), DURABLE);

    assertThat(content(engine)).hasSize(count);
  }

  @Test
  public void rule9_anEmptyBatchIsAcceptedAndChangesNothing() {
    StorageEngine engine = open();
    put(engine, key(1), value(1));

    engine.write(new WriteBatch(), BUFFERED);
    engine.write(new WriteBatch(), DURABLE);

    assertThat(content(engine)).containsOnly(Map.entry(key(1), value(1)));
  }

  @Test
  public void rule9_anEmptyKeyIsRefused() {
    assertRefused(limits -> validMutation().put(Bytes.EMPTY, value(1)));
    assertRefused(limits -> validMutation().delete(Bytes.EMPTY));
  }

  @Test
  public void rule9_aKeyOneByteTooLongIsRefused() {
    assertRefused(limits -> validMutation().put(noise(1, limits.maxKeyBytes() + 1), Bytes.EMPTY));
    assertRefused(limits -> validMutation().delete(noise(1, limits.maxKeyBytes() + 1)));
  }

  @Test
  public void rule9_aValueOneByteTooLargeIsRefused() {
    assertRefused(
        limits -> {
          assumeTrue(
              limits.maxValueBytes() < TESTABLE_BYTES,
              "not this backend: the limit is too high for a test");
          return validMutation().put(key(7), noise(1, limits.maxValueBytes() + 1));
        });
  }

  @Test
  public void rule9_aBatchOfOneByteTooManyIsRefused() {
    assertRefused(
        limits -> {
          assumeTrue(
              limits.maxBatchBytes() < TESTABLE_BYTES,
              "not this backend: the limit is too high for a test");
          return batchOf(limits.maxBatchBytes() + 1, limits);
        });
  }

  @Test
  public void rule9_aBatchOfOneMutationTooManyIsRefused() {
    assertRefused(
        limits -> {
          int count = limits.maxBatchCount();
          assumeTrue(
              count < TESTABLE_BYTES / 100, "not this backend: the limit is too high for a test");
          return putAll(0, count + 1, Bytes.EMPTY);
        });
  }

  /** Returns a batch with one mutation, which must not be applied when another is refused. */
  private static WriteBatch validMutation() {
    return new WriteBatch().put(key(5), value(5));
  }

  private void assertRefused(Function<Limits, WriteBatch> excess) {
    StorageEngine engine = open();
    put(engine, key(1), value(1));
    NavigableMap<Bytes, Bytes> before = content(engine);
    WriteBatch batch = excess.apply(engine.limits());

    for (Durability durability : Durability.values()) {
      assertThatThrownBy(() -> engine.write(batch, durability))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(content(engine)).isEqualTo(before);
    }
    put(engine, key(2), value(2));
    before.put(key(2), value(2));
    assertThat(content(reopen(engine))).isEqualTo(before);
    opened.forEach(StorageEngine::close);
  }

  private static int testable(long bytes) {
    return (int) Math.min(bytes, TESTABLE_BYTES);
  }

  /** Returns a batch of exactly so many bytes, in as few mutations as the limits allow. */
  private static WriteBatch batchOf(long bytes, Limits limits) {
    int keyBytes = key(0).size();
    long most = (long) keyBytes + limits.maxValueBytes();
    int count = (int) ((bytes + most - 1) / most);
    Bytes value = noise(3, (int) (bytes / count));
    WriteBatch batch = new WriteBatch();
    for (int i = 0; i < count; i++) {
      long share = bytes / count + (i < bytes % count ? 1 : 0);
      batch.put(key(100 + i), value.slice(0, (int) share - keyBytes));
    }
    return batch;
  }

  private static void assertHolds(StorageEngine engine, WriteBatch batch) {
    batch.forEach(
        new WriteBatch.Visitor() {
          @Override
          public void put(Bytes key, Bytes value) {
            assertThat(engine.get(key)).contains(value);
          }

          @Override
          public void delete(Bytes key) {
            assertThat(engine.get(key)).isEmpty();
          }
        });
  }

  // ---- rule 10: many threads

  @Test
  public void rule10_manyThreadsReadAndWriteAtOnce() {
    StorageEngine engine = open();
    List<Crowd.Task> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      int first = i * 1000;
      tasks.add(() -> liveInOwnRange(engine, first));
    }

    Crowd.run(tasks);

    assertThat(content(engine)).hasSize(THREADS * PASSES / 2);
    assertThat(content(reopen(engine))).hasSize(THREADS * PASSES / 2);
  }

  /** Writes, reads and deletes in a range that is no other thread's; half of the keys stay. */
  private static void liveInOwnRange(StorageEngine engine, int first) {
    for (int i = first; i < first + PASSES; i++) {
      put(engine, key(i), value(i));
      assertThat(engine.get(key(i))).contains(value(i));
      if (i % 2 == 1) {
        delete(engine, key(i));
      }
      if (i % 20 == 19) {
        assertThat(read(engine::scan, range(first, first + 1000))).hasSize((i - first + 1) / 2);
        engine.deleteRange(range(first + 500, first + 1000));
        engine.flush();
      }
      if (i % 50 == 49) {
        engine.compact(range(first, first + 1000));
        assertThat(engine.sizeBytes()).isNotNegative();
      }
    }
  }

  @Test
  public void rule10_aSnapshotServesManyThreads() {
    StorageEngine engine = open();
    fill(engine, 0, 100, value(1));
    try (Snapshot snapshot = engine.snapshot()) {
      Crowd.Task reader =
          () -> {
            for (int pass = 0; pass < PASSES; pass++) {
              assertThat(snapshot.get(key(pass % 100))).contains(value(1));
              assertThat(read(snapshot::scan, range(40, 60))).hasSize(20);
            }
          };
      Crowd.run(List.of(reader, reader, reader, () -> changeEverything(engine)));
    }
  }

  // ---- rule 11: closing

  @Test
  public void rule11_afterCloseEveryMethodRefuses() {
    StorageEngine engine = open();
    put(engine, key(1), value(1));
    engine.close();

    assertClosed(() -> engine.get(key(1)));
    assertClosed(() -> engine.getAll(List.of(key(1))));
    assertClosed(() -> engine.scan(KeyRange.all()));
    assertClosed(engine::snapshot);
    for (Durability durability : Durability.values()) {
      assertClosed(() -> engine.write(new WriteBatch().put(key(2), value(2)), durability));
    }
    assertClosed(engine::flush);
    assertClosed(() -> engine.deleteRange(KeyRange.all()));
    assertClosed(() -> engine.compact(KeyRange.all()));
    assertClosed(engine::limits);
    assertClosed(engine::sizeBytes);
    assertThat(content(open())).containsOnly(Map.entry(key(1), value(1)));
  }

  @Test
  public void rule11_afterCloseSnapshotsAndCursorsRefuse() {
    StorageEngine engine = open();
    engine.write(putAll(0, 10, value(1)), BUFFERED);
    Snapshot snapshot = engine.snapshot();
    Cursor cursor = engine.scan(KeyRange.all());
    Cursor ofSnapshot = snapshot.scan(KeyRange.all());
    assertThat(cursor.next() && ofSnapshot.next()).isTrue();

    engine.close();

    assertClosed(() -> snapshot.get(key(1)));
    assertClosed(() -> snapshot.getAll(List.of(key(1))));
    assertClosed(() -> snapshot.scan(KeyRange.all()));
    assertRefuses(cursor);
    assertRefuses(ofSnapshot);
  }

  @Test
  public void rule11_aClosedSnapshotOrCursorRefuses() {
    StorageEngine engine = open();
    engine.write(putAll(0, 10, value(1)), BUFFERED);
    Snapshot snapshot = engine.snapshot();
    Cursor cursor = engine.scan(KeyRange.all());
    assertThat(cursor.next()).isTrue();

    snapshot.close();
    cursor.close();

    assertClosed(() -> snapshot.get(key(1)));
    assertClosed(() -> snapshot.getAll(List.of(key(1))));
    assertClosed(() -> snapshot.scan(KeyRange.all()));
    assertRefuses(cursor);
    assertThat(content(engine)).hasSize(10);
  }

  private static void assertRefuses(Cursor cursor) {
    assertClosed(cursor::next);
    assertClosed(cursor::key);
    assertClosed(cursor::value);
  }

  private static void assertClosed(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalStateException.class);
  }

  @Test
  public void rule11_closingTwiceDoesNothing() {
    StorageEngine first = open();
    Snapshot snapshot = first.snapshot();
    Cursor cursor = first.scan(KeyRange.all());
    cursor.close();
    cursor.close();
    snapshot.close();
    snapshot.close();
    first.close();
    first.close();

    StorageEngine second = open();
    first.close();

    put(second, key(1), value(1));
    assertThat(second.get(key(1))).contains(value(1));
    assertLocked();
  }

  @Test
  public void rule11_childrenMayBeClosedLateOrNever() {
    StorageEngine first = open();
    fill(first, 0, 100, value(1));
    List<AutoCloseable> late = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      Snapshot snapshot = first.snapshot();
      Cursor cursor = snapshot.scan(KeyRange.all());
      assertThat(cursor.next()).isTrue();
      late.addAll(List.of(snapshot, cursor, first.scan(KeyRange.all())));
      first.scan(KeyRange.all()).next();
      first.snapshot().scan(KeyRange.all()).next();
    }
    first.close();

    StorageEngine second = open();
    assertThat(late).allSatisfy(child -> assertThatCode(child::close).doesNotThrowAnyException());
    assertThat(content(second)).hasSize(100);
  }

  @Test
  public void rule11_aSnapshotMayBeClosedBeforeItsCursors() {
    StorageEngine engine = open();
    fill(engine, 0, 100, value(1));
    Snapshot snapshot = engine.snapshot();
    Cursor cursor = snapshot.scan(KeyRange.all());
    assertThat(cursor.next()).isTrue();

    snapshot.close();

    assertThatCode(cursor::close).doesNotThrowAnyException();
    assertThat(content(engine)).hasSize(100);
  }

  @Test
  public void rule11_closingWhileOthersReadDoesNoHarm() {
    for (int round = 0; round < 5; round++) {
      StorageEngine engine = open();
      fill(engine, 0, 100, value(1));
      Snapshot shared = engine.snapshot();
      closeWhileInUse(
          engine,
          List.of(
              () -> engine.get(key(7)),
              () -> content(engine),
              () -> shared.get(key(7)),
              () -> read(shared::scan, KeyRange.all()),
              () -> scanInNewSnapshot(engine)));
    }
    assertThat(content(open())).hasSize(100);
  }

  @Test
  public void rule11_closingWhileOthersWriteDoesNoHarm() {
    AtomicInteger written = new AtomicInteger();
    AtomicInteger durable = new AtomicInteger();
    for (int round = 0; round < 5; round++) {
      StorageEngine engine = open();
      closeWhileInUse(
          engine,
          List.of(
              () -> count(written, i -> put(engine, key(i), value(i))),
              () ->
                  count(
                      durable,
                      i ->
                          engine.write(
                              new WriteBatch().put(key(1_000_000 + i), value(i)), DURABLE)),
              engine::flush,
              () -> engine.deleteRange(range(2_000_000, 3_000_000)),
              () -> engine.compact(range(0, 100)),
              engine::sizeBytes));
    }

    StorageEngine engine = open();
    assertThat(read(engine::scan, range(0, written.get()))).isEqualTo(numbered(written.get()));
    assertThat(read(engine::scan, range(1_000_000, 1_000_000 + durable.get())))
        .hasSize(durable.get());
  }

  private static void scanInNewSnapshot(StorageEngine engine) {
    try (Snapshot snapshot = engine.snapshot()) {
      read(snapshot::scan, KeyRange.all());
    }
  }

  /** Does the action for the next number, and counts it if it returns. For one thread. */
  private static void count(AtomicInteger counter, Consumer<Integer> action) {
    action.accept(counter.get());
    counter.incrementAndGet();
  }

  /** Repeats every use on its own thread, and closes the engine once all of them are at it. */
  private static void closeWhileInUse(StorageEngine engine, List<Crowd.Task> uses) {
    CountDownLatch inUse = new CountDownLatch(uses.size());
    List<Crowd.Task> tasks = new ArrayList<>();
    for (Crowd.Task use : uses) {
      tasks.add(() -> repeatUntilClosed(use, inUse));
    }
    tasks.add(
        () -> {
          inUse.await();
          engine.close();
        });
    Crowd.run(tasks);
  }

  @SuppressWarnings("ThreadPriorityCheck") // a hint is all that is wanted
  private static void repeatUntilClosed(Crowd.Task use, CountDownLatch inUse) throws Exception {
    try {
      for (int i = 0; true; i++) {
        use.run();
        // so that none of them keeps the others from their turn
        Thread.yield();
        if (i == 2) {
          inUse.countDown();
        }
      }
    } catch (IllegalStateException e) {
      // what rule 11 asks for; anything else fails the test
    } finally {
      inUse.countDown();
    }
  }

  // ---- rule 12: opening

  @Test
  public void rule12_aNewStoreIsEmptyInAnAbsentOrAnEmptyDirectory() throws IOException {
    assertThat(content(open())).isEmpty();

    Path empty = Files.createDirectory(directory.resolveSibling("empty"));
    assertThat(content(open(empty))).isEmpty();
  }

  @Test
  public void rule12_storesOfDifferentDirectoriesAreApart() {
    StorageEngine first = open();
    StorageEngine second = open(directory.resolveSibling("second"));
    put(first, key(1), value(1));
    put(second, key(1), value(2));

    assertThat(first.get(key(1))).contains(value(1));
    assertThat(second.get(key(1))).contains(value(2));
    second.deleteRange(KeyRange.all());
    assertThat(content(first)).hasSize(1);
  }

  @Test
  public void rule12_anOpenStoreIsRefusedToASecondOpener() {
    StorageEngine first = open();
    put(first, key(1), value(1));

    assertLocked();

    put(first, key(2), value(2));
    assertThat(content(first)).hasSize(2);
    assertLocked();
    assertThat(content(reopen(first))).hasSize(2);
  }

  private void assertLocked() {
    assertThatThrownBy(() -> provider().open(directory, options()))
        .isInstanceOfSatisfying(
            ConflictException.class,
            e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.LOCKED));
  }

  @Test
  public void rule12_anOpenStoreIsRefusedToAnotherProcess() {
    assumeTrue(isSharedWithOtherProcesses(), "not this backend: the store lives in one process");
    StorageEngine engine = open();
    put(engine, key(1000), value(1));

    List<String> said =
        OtherProcess.runUntil(provider(), options(), directory, 1, OtherProcess.WRITTEN);

    assertThat(said).contains(OtherProcess.REFUSED + " LOCKED");
    assertThat(content(engine)).containsOnlyKeys(key(1000));
  }

  @Test
  public void rule12_whatWasWrittenIsThereWhenOpenedAgain() {
    NavigableMap<Bytes, Bytes> expected = new TreeMap<>();
    for (int round = 0; round < 6; round++) {
      StorageEngine engine = open();
      assertThat(content(engine)).isEqualTo(expected);
      for (int i = 0; i < 100; i++) {
        int number = round * 50 + i;
        Bytes value = noise(number + round, 2000);
        engine.write(
            new WriteBatch().put(key(number), value).delete(key(number - 60)),
            i % 3 == 0 ? DURABLE : BUFFERED);
        expected.put(key(number), value);
        expected.remove(key(number - 60));
      }
      engine.close();
    }
    assertThat(content(open())).isEqualTo(expected);
  }

  // ---- rule 13: damage

  @Test
  public void rule13_damageIsToldAndNothingWrongIsReturned() {
    NavigableMap<Bytes, Bytes> written = new TreeMap<>();
    StorageEngine engine = open();
    for (int i = 0; i < 200; i++) {
      written.put(key(i), noise(i, 2000));
      engine.write(new WriteBatch().put(key(i), noise(i, 2000)), DURABLE);
    }
    engine.flush();
    engine.compact(KeyRange.all());
    engine.close();
    assumeTrue(damage(directory, key(77)), "not this backend: damage cannot be played");

    assertThatThrownBy(() -> readEveryKey(written)).isInstanceOf(IntegrityException.class);
    opened.forEach(StorageEngine::close);
    assertThatThrownBy(() -> scanEveryKey(written)).isInstanceOf(IntegrityException.class);
  }

  /** Reads one key after the other, beginning with those that tell nothing of the damage. */
  private void readEveryKey(NavigableMap<Bytes, Bytes> written) {
    StorageEngine engine = open();
    List<IntegrityException> told = new ArrayList<>();
    written.forEach(
        (key, value) -> {
          try {
            assertThat(engine.get(key)).contains(value);
          } catch (IntegrityException e) {
            told.add(e);
          }
        });
    if (!told.isEmpty()) {
      throw told.get(0);
    }
  }

  private void scanEveryKey(NavigableMap<Bytes, Bytes> written) {
    StorageEngine engine = open();
    NavigableMap<Bytes, Bytes> expected = new TreeMap<>(written);
    try (Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        Map.Entry<Bytes, Bytes> next = expected.pollFirstEntry();
        assertThat(cursor.key()).isEqualTo(next.getKey());
        assertThat(cursor.value()).isEqualTo(next.getValue());
      }
    }
    assertThat(expected).as("rows that a damaged scan left out without a word").isEmpty();
  }

  // ---- rule 14: a full disk

  private static final int FULL_AFTER_BYTES = 2 << 20;

  @Test
  public void rule14_aFullDiskIsToldAndTheBatchIsNotApplied() {
    StorageEngine engine = open();
    engine.write(new WriteBatch().put(key(-1), value(1)), DURABLE);
    assumeTrue(
        limitDisk(directory, FULL_AFTER_BYTES), "not this backend: a full disk cannot be played");

    int applied = writeUntilFull(engine);

    unlimitDisk(directory);
    StorageEngine again = reopen(engine);
    assertWhole(again, applied);
  }

  @Test
  public void rule14_writingWorksAgainWhenThereIsRoom() {
    StorageEngine engine = open();
    engine.write(new WriteBatch().put(key(-1), value(1)), DURABLE);
    assumeTrue(
        limitDisk(directory, FULL_AFTER_BYTES), "not this backend: a full disk cannot be played");
    int applied = writeUntilFull(engine);

    unlimitDisk(directory);
    StorageEngine again = reopen(engine);
    again.write(fullDiskBatch(applied), DURABLE);

    assertWhole(again, applied + 1);
    assertWhole(reopen(again), applied + 1);
  }

  /** Writes batches until one is refused, and returns how many were applied before. */
  private static int writeUntilFull(StorageEngine engine) {
    int applied = 0;
    try {
      while (applied * 64L < FULL_AFTER_BYTES) {
        engine.write(fullDiskBatch(applied), DURABLE);
        applied++;
      }
      throw new AssertionError("the disk never got full");
    } catch (StorageException e) {
      assertThat(e.isOutOfSpace()).as("out of space: %s", e).isTrue();
      return applied;
    }
  }

  private static WriteBatch fullDiskBatch(int number) {
    return new WriteBatch()
        .put(key(number * 2), noise(number, 30_000))
        .put(key(number * 2 + 1), noise(number, 30_000));
  }

  private static void assertWhole(StorageEngine engine, int batches) {
    assertThat(engine.get(key(-1))).contains(value(1));
    NavigableMap<Bytes, Bytes> found = read(engine::scan, range(0, 1_000_000));
    assertThat(found).hasSize(batches * 2);
    for (int i = 0; i < batches * 2; i++) {
      assertThat(found).containsEntry(key(i), noise(i / 2, 30_000));
    }
  }

  // ---- copies of a store

  @Test
  public void aCopyOfAClosedStoreIsAStoreOfItsOwn() {
    Path target = directory.resolveSibling("copy");
    StorageEngine original = open();
    original.write(putAll(0, 10, value(0)).put(key(99), noise(1, 30_000)), DURABLE);
    put(original, key(100), value(1));
    NavigableMap<Bytes, Bytes> expected = content(original);
    original.close();

    assertThat(copies(directory.resolveSibling("none"), directory.resolveSibling("no-copy")))
        .as("there is a store in an absent directory")
        .isFalse();
    assertThat(copies(directory, target)).as("there is a store").isTrue();
    StorageEngine copy = open(target);
    assertThat(content(copy)).isEqualTo(expected);
    copy.deleteRange(KeyRange.all());
    copy.compact(KeyRange.all()); // files that were shared and are rewritten show it
    copy.write(putAll(0, 2, value(7)), DURABLE);

    StorageEngine again = open();
    assertThat(content(again)).isEqualTo(expected);
    again.write(putAll(0, 4, value(8)), DURABLE);
    assertThat(content(copy))
        .containsOnly(Map.entry(key(0), value(7)), Map.entry(key(1), value(7)));
  }

  private boolean copies(Path from, Path target) {
    try {
      return provider().copy(from, target, options());
    } catch (ConfigurationException e) {
      return abort("not this backend: " + e.getMessage());
    }
  }
}
