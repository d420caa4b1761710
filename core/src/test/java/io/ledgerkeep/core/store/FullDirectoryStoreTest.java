package io.ledgerkeep.core.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a real disk that is full; skipped where a small file system cannot be mounted. */
final class FullDirectoryStoreTest {

  private static final byte[] MEBIBYTE = new byte[1 << 20];

  @TempDir Path disk;
  private boolean mounted;

  @BeforeEach
  void mountSmallDisk() throws Exception {
    mounted = run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk.toString());
    assumeTrue(mounted, "mounting needs a superuser");
  }

  @AfterEach
  void unmount() throws Exception {
    if (mounted) {
      assertThat(run("umount", disk.toString())).isTrue();
    }
  }

  @Test
  void aFullDiskIsToldAndLeavesNothing() throws IOException {
    try (ArchiveStore store = new DirectoryStore(disk.resolve("archive"))) {
      store.put("genesis/before", out -> out.write(MEBIBYTE));
      assertThatThrownBy(
              () ->
                  store.put(
                      "genesis/large",
                      out -> {
                        for (int i = 0; i < 8; i++) {
                          out.write(MEBIBYTE);
                        }
                      }))
          .isInstanceOfSatisfying(
              StorageException.class, e -> assertThat(e.isOutOfSpace()).isTrue())
          .hasMessageContaining("make room");
      assertThat(store.list("")).containsExactly("genesis/before");
      try (var files = Files.list(disk.resolve("archive/genesis"))) {
        assertThat(files).hasSize(1);
      }

      store.delete("genesis/before");
      store.put("genesis/large", out -> out.write(MEBIBYTE));
      assertThat(store.size("genesis/large")).hasValue(MEBIBYTE.length);
    }
  }

  private static boolean run(String... command) throws IOException, InterruptedException {
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
