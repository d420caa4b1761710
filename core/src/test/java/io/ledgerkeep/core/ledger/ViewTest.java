package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerReader;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.LedgerReader.StateEntry;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ViewTest {

  private static final String NAMESPACE = "view";
  private static final int KEYS = 12;

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void smallest() {
    world = new World(directory);
    world.limits = InMemoryStorage.SMALLEST_LIMITS;
  }

  private static Bytes key(int number) {
    return Bytes.ofUtf8("key " + number);
  }

  /** Returns the height, then noise: what has another height at its end is torn. */
  private static Bytes value(long height, int size) {
    byte[] bytes = Blocks.noise(height, size).toArray();
    ByteBuffer.wrap(bytes).putLong(0, height).putLong(size - 8, height);
    return Bytes.wrap(bytes);
  }

  private static long heightIn(Bytes value) {
    ByteBuffer buffer = value.asBuffer();
    long first = buffer.getLong(0);
    assertThat(buffer.getLong(value.size() - 8)).as("a torn value").isEqualTo(first);
    return first;
  }

  /** Every block writes all keys in transactions of their own, more than fit in one batch. */
  private static List<Block> writers(int count) {
    int[] sizes = {16, 62 << 10, 150_000, 2 * ((62 << 10) - 2048), 20};
    Blocks next = Blocks.genesis();
    List<Block> blocks = new ArrayList<>();
    for (int height = 0; height < count; height++) {
      int size = sizes[height % sizes.length];
      for (int k = 0; k < KEYS; k++) {
        int keySize = k % 4 == 0 ? size : 16;
        next.put(height + "/" + k, NAMESPACE, key(k), value(height, keySize));
      }
      blocks.add(next.build());
      next = Blocks.after(blocks.get(height));
    }
    return blocks;
  }

  // ------------------------------------------------------------------------------------ one height

  @Test
  void aViewIsOfOneHeightHoweverMuchIsCommittedMeanwhile() throws Exception {
    List<Block> blocks = writers(60);
    try (Ledger ledger = world.open()) {
      ledger.commit(blocks.get(0));
      AtomicBoolean ended = new AtomicBoolean();
      Threads.run(
          () -> {
            try {
              for (int i = 1; i < blocks.size(); i += 3) {
                ledger.commitAll(blocks.subList(i, Math.min(i + 3, blocks.size())));
              }
            } finally {
              ended.set(true);
            }
          },
          () -> lookAgainAndAgain(ended, () -> assertOneHeight(ledger, blocks)),
          () -> lookAgainAndAgain(ended, () -> assertOneHeight(ledger, blocks)),
          () -> lookAgainAndAgain(ended, () -> assertReadsAreWhole(ledger, blocks)));
      assertOneHeight(ledger, blocks);
    }
    world.disk.assertAllClosed();
  }

  private static void lookAgainAndAgain(AtomicBoolean ended, Runnable look) {
    do {
      look.run();
    } while (!ended.get());
  }

  private static void assertOneHeight(Ledger ledger, List<Block> blocks) {
    long before = ledger.height();
    try (LedgerView view = ledger.view()) {
      long height = view.height();
      assertThat(height).isBetween(before, ledger.height());
      assertThat(view.block(height)).contains(blocks.get((int) height));
      assertThat(view.block(height + 1)).isEmpty();
      if (height + 1 < blocks.size()) {
        Replay.assertUnknownTo(view, List.of(blocks.get((int) height + 1)));
      }
      assertThat(keysOf(view.scanState(NAMESPACE, KeyRange.all()), height)).isEqualTo(KEYS);
      for (int k = 0; k < KEYS; k += 3) {
        assertThat(heightIn(view.state(NAMESPACE, key(k)).orElseThrow())).isEqualTo(height);
        assertHistoryFrom(view.history(NAMESPACE, key(k)), height);
      }
      assertThat(view.height()).isEqualTo(height);
    }
  }

  private static int keysOf(CloseableIterator<StateEntry> entries, long height) {
    int count = 0;
    try (entries) {
      while (entries.hasNext()) {
        assertThat(heightIn(entries.next().value())).isEqualTo(height);
        count++;
      }
    }
    return count;
  }

  /** The newest writer comes first, and no height is left out. */
  private static void assertHistoryFrom(CloseableIterator<HistoryEntry> history, long newest) {
    long expected = newest;
    try (history) {
      while (history.hasNext()) {
        assertThat(history.next().height()).isEqualTo(expected--);
      }
    }
    assertThat(expected).isEqualTo(-1);
  }

  /**
   * Outside a view a read may be one block ahead, but a scan is of one height, a value is whole.
   */
  private static void assertReadsAreWhole(Ledger ledger, List<Block> blocks) {
    long before = ledger.height();
    for (int k = 0; k < KEYS; k++) {
      assertThat(heightIn(ledger.state(NAMESPACE, key(k)).orElseThrow()))
          .isBetween(before, (long) blocks.size() - 1);
    }
    try (CloseableIterator<StateEntry> entries = ledger.scanState(NAMESPACE, KeyRange.all())) {
      long height = heightIn(entries.next().value());
      assertThat(height).isGreaterThanOrEqualTo(before);
      while (entries.hasNext()) {
        assertThat(heightIn(entries.next().value())).isEqualTo(height);
      }
    }
    try (CloseableIterator<HistoryEntry> history = ledger.history(NAMESPACE, key(1))) {
      long newest = history.next().height();
      assertThat(newest).isGreaterThanOrEqualTo(before);
      assertHistoryFrom(history, newest - 1);
    }
    long height = ledger.height();
    assertThat(ledger.block(height)).contains(blocks.get((int) height));
    assertThat(ledger.transaction(height + "/0")).isPresent();
  }

  /** While the disk takes its time with a block, readers go on with the one before. */
  @Test
  void readersNeverWaitForADurableWrite() throws Exception {
    List<Block> blocks = writers(2);
    HookedStorage storage = new HookedStorage(world.disk, world.limits);
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch looked = new CountDownLatch(1);
    try (Ledger ledger = world.open(storage.settings(world))) {
      ledger.commit(blocks.get(0));
      storage.hook =
          call -> {
            if (call.equals("block write")) {
              writing.countDown();
              await(looked);
            }
          };
      Threads.run(
          () -> ledger.commit(blocks.get(1)),
          () -> {
            await(writing);
            assertThat(ledger.height()).isZero();
            assertReadsAreWhole(ledger, blocks);
            assertOneHeight(ledger, blocks);
            looked.countDown();
          });
      assertThat(ledger.height()).isEqualTo(1);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Between the writes of state and history of a block nobody opens a view. */
  @Test
  void aViewIsNeverOpenedInTheMiddleOfABlock() throws Exception {
    List<Block> blocks = writers(3);
    HookedStorage storage = new HookedStorage(world.disk, world.limits);
    try (Ledger ledger = world.open(storage.settings(world))) {
      ledger.commit(blocks.get(0));
      List<Thread> waiting = new ArrayList<>();
      List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
      storage.hook =
          call -> {
            if (call.equals("state write") || call.equals("history write")) {
              Thread look = new Thread(() -> assertOneHeight(ledger, blocks));
              look.setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
              waiting.add(look);
              look.start();
              Thread.yield();
            }
          };
      ledger.commit(blocks.get(1));
      ledger.commit(blocks.get(2));
      for (Thread look : waiting) {
        look.join();
      }
      assertThat(waiting).hasSizeGreaterThan(5);
      assertThat(failures).isEmpty();
    }
  }

  @Test
  void aViewKeepsWhatLaterBlocksOverwriteAndDelete() {
    List<Block> chain = SampleChain.ofSeed(4).blocks(80).toList();
    try (Ledger ledger = world.open()) {
      List<LedgerView> views = new ArrayList<>();
      views.add(ledger.view());
      for (Block block : chain) {
        ledger.commit(block);
        if (block.height() % 9 == 0) {
          views.add(ledger.view());
        }
      }
      for (LedgerView view : views) {
        Replay.of(chain.subList(0, (int) view.height() + 1)).assertToldBy(view);
        Replay.assertUnknownTo(view, chain.subList((int) view.height() + 1, chain.size()));
        view.close();
      }
    }
  }

  @Test
  void aClosedViewAnswersNoMore() {
    try (Ledger ledger = world.open()) {
      ledger.commitAll(writers(3));
      LedgerView view = ledger.view();
      CloseableIterator<StateEntry> looked = view.scanState(NAMESPACE, KeyRange.all());
      assertThat(looked.hasNext()).isTrue();
      view.close();
      view.close();
      assertThatIllegalStateException().isThrownBy(looked::next);
      looked.close();
      assertAllRefuse(view);
      assertThat(ledger.height()).isEqualTo(2);
    }
    world.disk.assertAllClosed();
  }

  static void assertAllRefuse(LedgerReader reader) {
    Bytes any = Bytes.ofUtf8("any");
    List<org.assertj.core.api.ThrowableAssert.ThrowingCallable> calls =
        List.of(
            reader::height,
            reader::archivedHeight,
            () -> reader.block(0),
            () -> reader.block(-1),
            () -> reader.blockByHash(any),
            () -> reader.blockByHash(Bytes.EMPTY),
            () -> reader.meta(0),
            () -> reader.meta(Long.MAX_VALUE),
            () -> reader.metaByHash(any),
            () -> reader.metaOfTransaction("any"),
            () -> reader.transaction("any"),
            () -> reader.rwSet("any"),
            () -> reader.state("any", any),
            () -> reader.scanState("any", KeyRange.all()),
            () -> reader.history("any", any));
    for (int i = 0; i < calls.size(); i++) {
      assertThatIllegalStateException().as("call %s", i).isThrownBy(calls.get(i));
    }
  }

  @Test
  void anIteratorThatIsClosedEarlyOrTwiceLeavesNothingOpen() {
    try (Ledger ledger = world.open()) {
      ledger.commitAll(writers(3));
      CloseableIterator<StateEntry> entries = ledger.scanState(NAMESPACE, KeyRange.all());
      entries.next();
      entries.close();
      entries.close();
      assertThatIllegalStateException().isThrownBy(entries::hasNext);
      CloseableIterator<HistoryEntry> history = ledger.history(NAMESPACE, key(0));
      assertThat(history.hasNext()).isTrue();
      history.close();
      assertThatIllegalStateException().isThrownBy(history::hasNext);
    }
    world.disk.assertAllClosed();
  }

  // ------------------------------------------------------------------------------------ order

  /** Namespaces and keys of which one is the beginning of the other, or at the end of all bytes. */
  @Test
  void scansKeepTheBordersOfNamespacesAndKeys() {
    List<String> namespaces =
        List.of(
            "", "a", "aa", "ab", "a\u0000", "\u0000", "\u0000\u0001", "b", "\uFFFF", "n\u0001a");
    List<Bytes> keys = new ArrayList<>();
    for (String hex : List.of("", "00", "0000", "01", "61", "7f", "80", "ff", "ffff", "ff00")) {
      keys.add(Bytes.fromHex(hex));
    }
    Blocks genesis = Blocks.genesis();
    int id = 0;
    for (String namespace : namespaces) {
      for (Bytes key : keys) {
        Bytes value = Bytes.ofUtf8(namespace + "|" + key.hex());
        genesis.put("t" + id++, namespace, key, value);
      }
    }
    try (Ledger ledger = world.open()) {
      ledger.commit(genesis.build());
      Replay.of(List.of(genesis.build())).assertToldBy(ledger);
      for (String namespace : namespaces) {
        for (Bytes from : keys) {
          assertScan(ledger, namespace, keys, KeyRange.atLeast(from));
          assertScan(ledger, namespace, keys, KeyRange.prefix(from));
          for (Bytes until : keys) {
            if (from.compareTo(until) <= 0) {
              assertScan(ledger, namespace, keys, KeyRange.of(from, until));
            }
          }
        }
      }
      assertThat(ledger.scanState("aaa", KeyRange.all())).isExhausted();
      assertThat(ledger.history("a", Bytes.fromHex("6161"))).isExhausted();
    }
  }

  private static void assertScan(
      Ledger ledger, String namespace, List<Bytes> keys, KeyRange range) {
    List<StateEntry> expected = new ArrayList<>();
    TreeMap<Bytes, Bytes> sorted = new TreeMap<>();
    keys.forEach(key -> sorted.put(key, Bytes.ofUtf8(namespace + "|" + key.hex())));
    sorted.forEach(
        (key, value) -> {
          if (range.contains(key)) {
            expected.add(new StateEntry(key, value));
          }
        });
    try (CloseableIterator<StateEntry> found = ledger.scanState(namespace, range)) {
      assertThat(found).toIterable().as("%s of '%s'", range, namespace).isEqualTo(expected);
    }
  }

  @Test
  void historyTellsEveryWriterTheNewestFirst() {
    Bytes key = Bytes.fromHex("ff");
    Blocks first = Blocks.genesis().put("a", "n", key, Bytes.EMPTY).delete("b", "n", key);
    RwSet.Write put = new RwSet.Write("n", key, Optional.of(Bytes.EMPTY));
    RwSet.Write delete = new RwSet.Write("n", key, Optional.empty());
    Blocks second =
        Blocks.after(first.build())
            .transaction("c", Bytes.EMPTY, List.of(delete, put, delete))
            .transaction("d", Bytes.EMPTY)
            .transaction("e", Bytes.EMPTY, List.of(delete, put));
    try (Ledger ledger = world.open()) {
      ledger.commitAll(List.of(first.build(), second.build()));
      try (CloseableIterator<HistoryEntry> history = ledger.history("n", key)) {
        assertThat(history)
            .toIterable()
            .containsExactly(
                new HistoryEntry(1, 2, "e", false),
                new HistoryEntry(1, 0, "c", true),
                new HistoryEntry(0, 1, "b", true),
                new HistoryEntry(0, 0, "a", false));
      }
      assertThat(ledger.state("n", key)).contains(Bytes.EMPTY);
    }
  }

  @Test
  void whatIsDeletedIsGoneFromStateAndStaysInHistory() {
    Bytes large = Blocks.noise(1, 200_000);
    Bytes key = Bytes.ofUtf8("key");
    Blocks first = Blocks.genesis().put("a", "n", key, large);
    Blocks second = Blocks.after(first.build()).delete("b", "n", key);
    Blocks third = Blocks.after(second.build()).put("c", "n", key, Bytes.ofUtf8("back"));
    try (Ledger ledger = world.open()) {
      ledger.commit(first.build());
      assertThat(ledger.state("n", key)).contains(large);
      ledger.commit(second.build());
      assertThat(ledger.state("n", key)).isEmpty();
      assertThat(ledger.scanState("n", KeyRange.all())).isExhausted();
      ledger.commit(third.build());
      assertThat(ledger.state("n", key)).contains(Bytes.ofUtf8("back"));
      assertThat(ledger.history("n", key)).toIterable().hasSize(3);
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.state("n", key)).contains(Bytes.ofUtf8("back"));
    }
  }

  /** Sizes at and around the borders of pieces, over one another, leave nothing of the old. */
  @Test
  void aValueOfAnySizeReplacesOneOfAnyOther() {
    int piece = (62 << 10);
    int[] sizes = {0, 1, piece - 1, piece, piece + 1, 2 * piece, 2 * piece + 1, 3 * piece};
    Random random = new Random(8);
    Blocks next = Blocks.genesis();
    List<Block> chain = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      Bytes value = Blocks.noise(i, sizes[random.nextInt(sizes.length)]);
      for (String key : List.of("a", "a\u0000\u0000\u0000\u0001", "b")) {
        if (random.nextInt(3) > 0) {
          next.put("t" + i + key, "n", Bytes.ofUtf8(key), value);
        } else if (random.nextBoolean()) {
          next.delete("t" + i + key, "n", Bytes.ofUtf8(key));
        }
      }
      chain.add(next.build());
      next = Blocks.after(chain.get(i));
    }
    try (Ledger ledger = world.open()) {
      Replay replay = new Replay();
      for (Block block : chain) {
        ledger.commit(block);
        replay.add(block);
        if (block.height() % 10 == 9) {
          replay.assertToldBy(ledger);
        }
      }
      World other = new World(directory.resolve("other"));
      other.limits = world.limits;
      try (Ledger batched = other.open()) {
        batched.commitAll(chain);
        assertThat(other.content().get(io.ledgerkeep.Database.STATE))
            .hasSameSizeAs(world.content().get(io.ledgerkeep.Database.STATE));
        replay.assertToldBy(batched);
      }
      for (String key : List.of("a", "a\u0000\u0000\u0000\u0001", "b")) {
        next.delete("end " + key, "n", Bytes.ofUtf8(key));
      }
      ledger.commit(next.build());
      assertThat(world.content().get(io.ledgerkeep.Database.STATE).keySet())
          .as("pieces of values that are gone")
          .noneMatch(key -> key.get(0) < 0);
    }
  }
}
