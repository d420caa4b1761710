package io.ledgerkeep.badger;

import static io.ledgerkeep.badger.Stores.content;
import static io.ledgerkeep.badger.Stores.noise;
import static io.ledgerkeep.badger.Stores.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngine.Snapshot;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The sidecar dies without warning; the engine starts it again, and nothing that returned is lost.
 */
final class KilledSidecarTest {

  @TempDir private Path directory;

  @BeforeAll
  static void assumeSidecar() {
    Stores.assumeSidecar();
  }

  @Test
  void everyCallGoesOnWithANewSidecar() {
    try (StorageEngine engine = open("store")) {
      put(engine, "a", "1");
      Stores.killSidecars();
      assertThat(engine.get(Bytes.ofUtf8("a"))).contains(Bytes.ofUtf8("1"));

      Stores.killSidecars();
      put(engine, "b", "2");
      Stores.killSidecars();
      assertThat(content(engine)).hasSize(2);
      Stores.killSidecars();
      engine.deleteRange(KeyRange.atLeast(Bytes.ofUtf8("b")));
      Stores.killSidecars();
      engine.compact(KeyRange.all());
      Stores.killSidecars();
      engine.flush();
      Stores.killSidecars();
      assertThat(engine.sizeBytes()).isPositive();
      Stores.killSidecars();
      engine.snapshot().close();

      assertThat(content(engine)).containsOnlyKeys("a");
      assertThat(Stores.sidecars()).hasSize(1);
    }
  }

  @Test
  void allStoresOfTheSidecarGoOn() {
    try (StorageEngine first = open("ledger/block");
        StorageEngine second = open("ledger/state")) {
      put(first, "a", "1");
      put(second, "b", "2");
      assertThat(Stores.sidecars()).as("one serves both").hasSize(1);
      Stores.killSidecars();

      assertThat(content(second)).containsOnlyKeys("b");
      assertThat(content(first)).containsOnlyKeys("a");
      assertThat(Stores.sidecars()).hasSize(1);
    }
  }

  @Test
  void aSnapshotAndAScanThatWereOpenEndWithAnErrorThatSaysToTryAgain() {
    try (StorageEngine engine = open("store")) {
      for (int i = 0; i < 200; i++) {
        engine.write(
            new WriteBatch().put(Bytes.ofUtf8("key " + i), noise(i, 100_000)), Durability.BUFFERED);
      }
      Snapshot snapshot = engine.snapshot();
      Cursor cursor = engine.scan(KeyRange.all());
      assertThat(cursor.next()).isTrue();
      Stores.killSidecars();

      assertRetryable(
          () -> {
            while (cursor.next()) {
              assertThat(cursor.value().size()).isEqualTo(100_000);
            }
          });
      assertRetryable(() -> snapshot.get(Bytes.ofUtf8("key 1")));
      assertRetryable(() -> snapshot.scan(KeyRange.all()));
      snapshot.close();
      cursor.close();
      try (Cursor again = engine.scan(KeyRange.all())) {
        assertThat(again.next()).isTrue();
      }
      assertRetryable(() -> snapshotAfterRestart(engine));
    }
  }

  private static void snapshotAfterRestart(StorageEngine engine) {
    try (Snapshot snapshot = engine.snapshot()) {
      Stores.killSidecars();
      assertThat(engine.get(Bytes.ofUtf8("key 1"))).isPresent();
      snapshot.get(Bytes.ofUtf8("key 1"));
    }
  }

  private static void assertRetryable(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class, e -> assertThat(e.isRetryable()).as("%s", e).isTrue());
  }

  @Test
  void writersDoNotNoticeAndEachBatchIsAppliedOnce() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (StorageEngine engine = open("store")) {
      AtomicInteger written = new AtomicInteger();
      CountDownLatch under = new CountDownLatch(1);
      List<Future<?>> writers = new ArrayList<>();
      for (int writer = 0; writer < 2; writer++) {
        String name = "writer " + writer + " ";
        writers.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 400; i++) {
                    moveOn(engine, name, i);
                    written.incrementAndGet();
                    under.countDown();
                  }
                }));
      }
      under.await();
      for (int kills = 1; kills <= 4; kills++) {
        int until = kills * 100;
        while (written.get() < until) {
          Thread.onSpinWait();
        }
        Stores.killSidecars();
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
      assertThat(content(engine)).containsOnlyKeys("writer 0 400", "writer 1 400");
    } finally {
      threads.shutdownNow();
    }
  }

  /** Deletes a number and puts the next: applied twice, or not at all, it would leave another. */
  private static void moveOn(StorageEngine engine, String name, int number) {
    engine.write(
        new WriteBatch()
            .delete(Bytes.ofUtf8(name + number))
            .put(Bytes.ofUtf8(name + (number + 1)), Bytes.ofUtf8("here")),
        Durability.DURABLE);
  }

  @Test
  void aStoreWhoseSidecarIsDeadIsClosedAndOpenedAgain() {
    StorageEngine engine = open("store");
    put(engine, "a", "1");
    Stores.killSidecars();
    engine.close();

    try (StorageEngine again = open("store")) {
      assertThat(content(again)).containsOnlyKeys("a");
    }
  }

  private StorageEngine open(String name) {
    Path store = directory.resolve(name);
    if (!store.getParent().equals(directory)) {
      store.getParent().toFile().mkdirs();
    }
    return Stores.open(store);
  }
}
