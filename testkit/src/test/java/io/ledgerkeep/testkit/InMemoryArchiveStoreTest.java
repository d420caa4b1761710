package io.ledgerkeep.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.testkit.contract.ArchiveStoreContract;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The store in memory keeps every rule of an archive store, and lets a test break its content. */
final class InMemoryArchiveStoreTest extends ArchiveStoreContract {

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();

  @Override
  protected ArchiveStore open(Path storeDirectory) {
    return store.reopen();
  }

  @Override
  protected boolean breakMedium(Path storeDirectory) {
    store.setReachable(false);
    return true;
  }

  @Override
  protected void repairMedium(Path storeDirectory) {
    store.setReachable(true);
  }

  @Override
  protected boolean limitSpace(Path storeDirectory, long freeBytes) {
    store.limitBytes(store.usedBytes() + freeBytes);
    return true;
  }

  @Override
  protected void unlimitSpace(Path storeDirectory) {
    store.limitBytes(Long.MAX_VALUE);
  }

  @Test
  void aBitCanBeTurnedOver() {
    put("a", "0000");
    store.flipBit("a", 9);
    assertThat(store.get("a", 0, 2)).isEqualTo(Bytes.fromHex("0002"));
  }

  @Test
  void anObjectCanBeCutReplacedAndLost() {
    put("a", "010203");
    store.truncate("a", 1);
    assertThat(store.get("a", 0, 9)).isEqualTo(Bytes.fromHex("01"));

    store.replace("a", Bytes.fromHex("09"));
    assertThat(store.get("a", 0, 9)).isEqualTo(Bytes.fromHex("09"));

    store.remove("a");
    assertThat(store.size("a")).isEmpty();
    assertThatThrownBy(() -> store.truncate("a", 0)).isInstanceOf(StorageException.class);
  }

  @Test
  void aCopyGoesItsOwnWay() {
    put("a", "01");
    InMemoryArchiveStore older = store.copy();
    put("b", "02");
    store.flipBit("a", 0);

    assertThat(older.list("")).containsExactly("a");
    assertThat(older.get("a", 0, 1)).isEqualTo(Bytes.fromHex("01"));
  }

  @Test
  void bytesReadAreCountedForThePlace() {
    put("a", "0102030405");
    store.reopen().get("a", 3, 10);
    store.get("a", 0, 1);

    assertThat(store.bytesRead()).isEqualTo(3);
    assertThat(store.usedBytes()).isEqualTo(5);
  }

  private void put(String name, String hex) {
    store.put(name, Bytes.fromHex(hex)::writeTo);
  }
}
