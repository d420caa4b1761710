package io.ledgerkeep.leveldb;

import static io.ledgerkeep.leveldb.Stores.content;
import static io.ledgerkeep.leveldb.Stores.durable;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.StorageEngine.Snapshot;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What users do to handles. LevelDB ends the process when a handle is used or freed after its
 * store; if one of these tests fails, it may well take the process that runs it along.
 */
final class OpenHandlesTest {

  @TempDir private Path directory;

  @Test
  void handlesAndTheStoreMayBeClosedInAnyOrder() {
    for (int seed = 0; seed < 30; seed++) {
      StorageEngine engine = Stores.open(directory);
      durable(engine, "a", "1");
      List<AutoCloseable> handles = new ArrayList<>(List.of(engine, engine));
      for (int i = 0; i < 5; i++) {
        Snapshot snapshot = engine.snapshot();
        Cursor cursor = snapshot.scan(KeyRange.all());
        assertThat(cursor.next()).isTrue();
        handles.addAll(List.of(snapshot, cursor, engine.scan(KeyRange.all()), cursor, snapshot));
      }
      Collections.shuffle(handles, new Random(seed));
      for (AutoCloseable handle : handles) {
        closeQuietly(handle);
      }
    }
    try (StorageEngine engine = Stores.open(directory)) {
      assertThat(content(engine)).hasSize(1);
    }
  }

  private static void closeQuietly(AutoCloseable handle) {
    try {
      handle.close();
    } catch (Exception e) {
      throw new AssertionError("closing " + handle, e);
    }
  }

  @Test
  void handlesThatAreForgottenAreClosedWithTheStore() {
    for (int round = 0; round < 5; round++) {
      try (StorageEngine engine = Stores.open(directory)) {
        durable(engine, "a", "1");
        for (int i = 0; i < 1000; i++) {
          engine.snapshot().scan(KeyRange.all()).next();
        }
        System.gc();
        assertThat(content(engine)).hasSize(1);
      }
    }
  }

  @Test
  void aCursorTornBetweenTwoThreadsDoesNoHarm() throws InterruptedException {
    StorageEngine engine = Stores.open(directory);
    for (int i = 0; i < 2000; i++) {
      durable(engine, "key " + i, "value");
    }
    for (int round = 0; round < 50; round++) {
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
        assertThat(cursor.key()).isNotNull();
        assertThat(cursor.value()).isEqualTo(Bytes.ofUtf8("value"));
      }
    } catch (IllegalStateException e) {
      // closed, or moved to its end by the other thread
    }
  }

  @Test
  void aSnapshotClosedWhileOthersReadItDoesNoHarm() throws InterruptedException {
    try (StorageEngine engine = Stores.open(directory)) {
      durable(engine, "a", "1");
      for (int round = 0; round < 50; round++) {
        Snapshot snapshot = engine.snapshot();
        CountDownLatch reading = new CountDownLatch(1);
        Thread reader =
            new Thread(
                () -> {
                  try {
                    while (snapshot.get(Bytes.ofUtf8("a")).isPresent()) {
                      snapshot.scan(KeyRange.all()).close();
                      reading.countDown();
                    }
                  } catch (IllegalStateException e) {
                    reading.countDown();
                  }
                });
        reader.start();
        reading.await();
        snapshot.close();
        reader.join();
      }
    }
  }

  @Test
  void aCursorThatIsAtNoKeySaysSo() {
    try (StorageEngine engine = Stores.open(directory);
        Cursor cursor = engine.scan(KeyRange.all())) {
      assertThatThrownBy(cursor::key).isInstanceOf(IllegalStateException.class);
      assertThat(cursor.next()).isFalse();
      assertThatThrownBy(cursor::value).isInstanceOf(IllegalStateException.class);
    }
  }
}
