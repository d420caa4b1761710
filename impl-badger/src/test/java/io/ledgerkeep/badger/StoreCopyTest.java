package io.ledgerkeep.badger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every file of a store is copied, and none where they have no room. */
final class StoreCopyTest {

  @TempDir private Path temporary;

  @Test
  void withoutTheRoomForEveryFileNothingIsCopied() throws Exception {
    Path store = Files.createDirectory(temporary.resolve("store"));
    for (String name : new String[] {"000001.sst", "000002.sst"}) {
      Files.write(store.resolve(name), new byte[100_000]);
    }
    try (SmallDisk disk = SmallDisk.mount(temporary.resolve("disk"), 1 << 20)) {
      disk.fillBut(150_000);
      Path target = disk.root().resolve("copy");
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> new BadgerStorageProvider().copy(store, target, Options.none()))
          .withMessageContaining("needs 200000 bytes on the disk of " + target)
          .withMessageContaining("make room")
          .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
      assertThat(target).doesNotExist();
    }
  }
}
