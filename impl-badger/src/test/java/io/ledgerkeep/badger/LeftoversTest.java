package io.ledgerkeep.badger;

import static io.ledgerkeep.badger.Stores.noise;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngine.Snapshot;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users leave open, and what we leave behind: nothing. */
final class LeftoversTest {

  /** Well within the limits, whatever they follow from. */
  private static final int BATCH_BYTES = 1 << 20;

  @TempDir private Path directory;

  @BeforeAll
  static void assumeSidecar() {
    Stores.assumeSidecar();
  }

  @Test
  void afterTheLastCloseNoThreadNoProcessAndNoSocketIsLeft() throws Exception {
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    Set<Thread> before = new HashSet<>(Thread.getAllStackTraces().keySet());
    for (int round = 0; round < 5; round++) {
      try (StorageEngine first = Stores.open(directory.resolve("first"));
          StorageEngine second = Stores.open(directory.resolve("second"))) {
        fill(first, 20);
        second.snapshot();
        first.scan(KeyRange.all()).next();
        if (round == 3) {
          Stores.killSidecars();
          first.flush();
        }
      }
    }

    assertThat(Stores.sidecars()).isEmpty();
    String ours = "ledgerkeep-badger-" + ProcessHandle.current().pid() + "-";
    assertThat(temporary.toFile().list((folder, name) -> name.startsWith(ours))).isEmpty();
    Set<Thread> after = new HashSet<>(Thread.getAllStackTraces().keySet());
    after.removeAll(before);
    after.removeIf(LeftoversTest::isOfTheJdk);
    for (Thread thread : after) {
      thread.join(TimeUnit.SECONDS.toMillis(30)); // one of Netty's ends when it was idle for long
      assertThat(thread.isAlive()).as("%s goes on", thread).isFalse();
    }
  }

  /** They tell whoever asked for it that a process has ended, and stay for a minute. */
  private static boolean isOfTheJdk(Thread thread) {
    return thread.getName().startsWith("process reaper")
        || thread.getName().startsWith("ForkJoinPool.commonPool");
  }

  @Test
  void whatAKilledProcessLeftIsSweptAway() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    Path left =
        Files.createDirectories(
            Path.of(System.getProperty("java.io.tmpdir"))
                .resolve("ledgerkeep-badger-" + ended.pid() + "-1"));
    Files.writeString(left.resolve("socket"), "");

    Stores.open(directory.resolve("store")).close();

    assertThat(left).doesNotExist();
  }

  @Test
  void handlesAndTheStoreMayBeClosedInAnyOrder() throws Exception {
    for (int seed = 0; seed < 10; seed++) {
      StorageEngine engine = Stores.open(directory.resolve("store"));
      Stores.put(engine, "a", "1");
      List<AutoCloseable> handles = new ArrayList<>(List.of(engine, engine));
      for (int i = 0; i < 5; i++) {
        Snapshot snapshot = engine.snapshot();
        Cursor cursor = snapshot.scan(KeyRange.all());
        assertThat(cursor.next()).isTrue();
        handles.addAll(List.of(snapshot, cursor, engine.scan(KeyRange.all()), cursor, snapshot));
      }
      Collections.shuffle(handles, new Random(seed));
      for (AutoCloseable handle : handles) {
        handle.close();
      }
    }
  }

  @Test
  void moreForgottenHandlesThanTheSidecarKeepsDoNoHarm() {
    try (StorageEngine engine = Stores.open(directory.resolve("store"))) {
      fill(engine, 20);
      for (int i = 0; i < 5000; i++) {
        engine.snapshot();
        engine.scan(KeyRange.all()).next();
        if (i % 1000 == 999) {
          System.gc();
        }
      }
      assertThat(Stores.content(engine)).isNotEmpty();
    }
  }

  @Test
  void aScanThatNobodyReadsOnHoldsLittle() {
    try (StorageEngine engine = Stores.open(directory.resolve("store"))) {
      fill(engine, 2000);
      List<Cursor> cursors = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        Cursor cursor = engine.scan(KeyRange.all());
        assertThat(cursor.next()).isTrue();
        cursors.add(cursor);
      }
      // Twenty times the 60 MB of the store are more than this process may have.
      for (Cursor cursor : cursors) {
        int rows = 1;
        while (cursor.next()) {
          rows++;
        }
        assertThat(rows).isEqualTo(2000);
        cursor.close();
      }
    }
  }

  @Test
  void aCursorTornBetweenTwoThreadsDoesNoHarm() throws InterruptedException {
    try (StorageEngine engine = Stores.open(directory.resolve("store"))) {
      fill(engine, 500);
      tearCursors(engine);
    }
  }

  private static void tearCursors(StorageEngine engine) throws InterruptedException {
    for (int round = 0; round < 20; round++) {
      Cursor cursor = engine.scan(KeyRange.all());
      CountDownLatch started = new CountDownLatch(1);
      Thread other =
          new Thread(
              () -> {
                started.countDown();
                stepUntilClosed(cursor);
              });
      other.start();
      started.await();
      cursor.next();
      cursor.close();
      other.join();
    }
    Cursor late = engine.scan(KeyRange.all());
    Thread other = new Thread(() -> stepUntilClosed(late));
    other.start();
    engine.close();
    other.join();
    assertThatThrownBy(late::next).isInstanceOf(IllegalStateException.class);
  }

  private static void stepUntilClosed(Cursor cursor) {
    try {
      while (cursor.next()) {
        assertThat(cursor.value()).isNotNull();
      }
    } catch (IllegalStateException e) {
      // closed, or moved on by the other thread
    }
  }

  private static void fill(StorageEngine engine, int rows) {
    WriteBatch batch = new WriteBatch();
    for (int i = 0; i < rows; i++) {
      batch.put(Bytes.ofUtf8("key %06d".formatted(i)), noise(i, 30_000));
      if (batch.bytes() > BATCH_BYTES || i == rows - 1) {
        engine.write(batch, Durability.BUFFERED);
        batch = new WriteBatch();
      }
    }
  }
}
