package io.ledgerkeep.leveldb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of a store that is copied tables are shared where that can be, and nothing else is. */
final class StoreCopyTest {

  @TempDir private Path temporary;
  private Path store;

  /** A store with a table and a log. */
  @BeforeEach
  void makeStore() throws IOException {
    store = temporary.resolve("store");
    try (StorageEngine engine = Stores.open(store)) {
      engine.write(
          new WriteBatch().put(Bytes.ofUtf8("noise"), Stores.noise(1, 200_000)),
          StorageEngine.Durability.DURABLE);
      engine.compact(KeyRange.all());
      Stores.durable(engine, "key", "value");
    }
    assertThat(tables(store)).isNotEmpty();
    assertThat(Stores.files(store, StoreFiles.LOG)).isNotEmpty();
  }

  private static List<Path> tables(Path directory) throws IOException {
    return Stores.files(directory, StoreFiles.TABLE);
  }

  private boolean copied(Path target) {
    return new LevelDbStorageProvider().copy(store, target, Options.none());
  }

  private static boolean isShared(Path file, Path target) throws IOException {
    return Files.isSameFile(file, target.resolve(file.getFileName()));
  }

  @Test
  void tablesAreLinkedAndWhatIsWrittenToIsCopied() throws IOException {
    Path target = temporary.resolve("copy");
    assertThat(copied(target)).isTrue();
    for (Path copy : Stores.list(target)) {
      Path file = store.resolve(copy.getFileName());
      assertThat(isShared(file, target)).as("%s", file).isEqualTo(tables(store).contains(file));
      assertThat(copy).hasSameBinaryContentAs(file);
    }
    assertThat(Stores.files(target, StoreFiles.LOG)).isNotEmpty();
    assertThat(target.resolve("LOCK")).doesNotExist();
  }

  @Test
  void onAnotherDiskTablesAreCopiedToo() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(temporary.resolve("disk"), 16 << 20)) {
      Path target = disk.root().resolve("copy");
      assertThat(copied(target)).isTrue();
      for (Path table : tables(store)) {
        assertThat(isShared(table, target)).isFalse();
        assertThat(target.resolve(table.getFileName())).hasSameBinaryContentAs(table);
      }
    }
  }

  @Test
  void withoutTheRoomForWhatCannotBeSharedNothingIsCopied() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(temporary.resolve("disk"), 1 << 20)) {
      disk.fillBut(100_000);
      Path target = disk.root().resolve("copy");
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> copied(target))
          .withMessageContaining(target.toString())
          .withMessageContaining("make room")
          .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
      assertThat(Stores.list(target)).isEmpty();
    }
  }
}
