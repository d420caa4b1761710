package io.ledgerkeep.leveldb;

import static io.ledgerkeep.leveldb.Stores.content;
import static io.ledgerkeep.leveldb.Stores.contentOf;
import static io.ledgerkeep.leveldb.Stores.durable;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.fusesource.leveldbjni.internal.NativeDB;
import org.fusesource.leveldbjni.internal.NativeOptions;
import org.fusesource.leveldbjni.internal.NativeWriteOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores that other software has open, or made. */
final class ForeignStoreTest {

  @TempDir private Path temporary;

  @Test
  void aStoreOfNewerLevelDbIsRefusedWithTheWayOutAndLeftAlone() throws IOException {
    Path store = temporary.resolve("store");
    try (StorageEngine engine = Stores.open(store)) {
      durable(engine, "a", "1");
      engine.flush();
    }
    Path table = Stores.files(store, StoreFiles.TABLE).get(0);
    String name = table.getFileName().toString();
    Files.move(table, table.resolveSibling(name.replace(StoreFiles.TABLE, StoreFiles.NEWER_TABLE)));
    Map<String, Bytes> before = Stores.data(store);

    assertThatThrownBy(() -> Stores.open(store).close())
        .isInstanceOf(UnsupportedFormatException.class)
        .hasMessageContaining(".ldb")
        .hasMessageContaining("Export the chain with the software that wrote it")
        .hasMessageContaining("do not repair");
    assertThat(Stores.data(store)).isEqualTo(before);
  }

  /** The log of an open store looks torn whenever a record is just being written. */
  @Test
  void aStoreThatOtherSoftwareHasOpenIsRefusedBeforeItsFilesAreTouched() throws Exception {
    Path store = temporary.resolve("store");
    try (OtherJvm other = OtherJvm.start(List.of(), ForeignStoreTest.class, store.toString())) {
      assertThat(other.line()).isEqualTo("written");
      Path log = Stores.log(store);
      byte[] whole = Files.readAllBytes(log);
      byte[] torn = whole.clone();
      torn[Stores.recordStarts(log).get(1) + 8] ^= 1;
      Files.write(log, torn);

      assertThatThrownBy(() -> Stores.open(store).close())
          .isInstanceOfSatisfying(
              ConflictException.class,
              e -> assertThat(e.reason()).isEqualTo(ConflictException.Reason.LOCKED));
      assertThat(Files.readAllBytes(log)).isEqualTo(torn);
      Files.write(log, whole);
    }
    assertThat(contentOf(store)).containsOnlyKeys("key 0", "key 1");
  }

  /** Makes a store with the bare native library and keeps it open until it is killed. */
  public static void main(String[] arguments) throws IOException {
    NativeDB.LIBRARY.load();
    NativeDB db =
        NativeDB.open(new NativeOptions().createIfMissing(true), Path.of(arguments[0]).toFile());
    for (int i = 0; i < 2; i++) {
      byte[] key = ("key " + i).getBytes(StandardCharsets.UTF_8);
      db.put(new NativeWriteOptions().sync(true), key, key);
    }
    System.out.println("written");
    System.in.read();
  }

  @Test
  void aRefusedSecondOpenerDoesNotWeakenTheLock() throws Exception {
    Path store = temporary.resolve("store");
    try (StorageEngine engine = Stores.open(store)) {
      durable(engine, "a", "1");
      for (Path alias : List.of(store, aliasOf(store))) {
        assertThatThrownBy(() -> Stores.open(alias).close()).isInstanceOf(ConflictException.class);
      }
      try (OtherJvm other = OtherJvm.start(List.of(), ForeignStoreTest.class, store.toString())) {
        assertThat(other.all()).contains("LOCK").doesNotContain("written");
      }
      assertThat(content(engine)).hasSize(1);
    }
  }

  private Path aliasOf(Path store) throws IOException {
    return Files.createSymbolicLink(temporary.resolve("alias"), store);
  }

  @Test
  void aFileInPlaceOfTheDirectoryIsTold() throws IOException {
    Path file = Files.writeString(temporary.resolve("file"), "not a store");

    assertThatThrownBy(() -> Stores.open(file).close())
        .isInstanceOf(StorageException.class)
        .hasMessageContaining(file.toString());
    assertThat(file).hasContent("not a store");
  }
}
