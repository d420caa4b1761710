package io.ledgerkeep.core.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SmallFileTest {

  @TempDir Path directory;

  @Test
  void aFileIsReplacedWholeAndNothingStaysBeside() throws IOException {
    Path file = directory.resolve("file");
    for (int size : new int[] {0, 10, 100_000, 3}) {
      SmallFile.replaceDurably(file, new byte[size]);
      assertThat(file).hasSize(size);
      SmallFile.replace(file, new byte[size + 1]);
      assertThat(file).hasSize(size + 1);
    }
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
  }

  /** Other processes read {@code status.json} whenever they like. */
  @Test
  void whoeverReadsMeanwhileHasTheOldContentWhole() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "the old content");
    try (InputStream before = Files.newInputStream(file)) {
      SmallFile.replace(file, Bytes.ofUtf8("new").toArray());
      assertThat(before).hasContent("the old content");
    }
    try (InputStream before = Files.newInputStream(file)) {
      SmallFile.replaceDurably(file, Bytes.ofUtf8("newer").toArray());
      assertThat(before).hasContent("new");
    }
    assertThat(file).hasContent("newer");
  }

  @Test
  void whatAKillLeftBesideIsOverwritten() throws IOException {
    Path file = directory.resolve("file");
    Files.write(directory.resolve("file.new"), new byte[5000]);
    SmallFile.replaceDurably(file, new byte[10]);
    assertThat(file).hasSize(10);
    assertThat(directory.resolve("file.new")).doesNotExist();
  }

  @Test
  void aFailureLeavesTheOldContentAndIsToldByPath() throws IOException {
    Path file = directory.resolve("file");
    SmallFile.replaceDurably(file, new byte[10]);
    Files.createDirectory(directory.resolve("file.new"));
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(() -> SmallFile.replaceDurably(file, new byte[20]))
        .withMessageContaining(file.toString())
        .withCauseInstanceOf(IOException.class);
    assertThat(file).hasSize(10);
  }

  @Test
  void aRelativeFileHasADirectoryToo() {
    Path file = Path.of("target", "tmp", "relative-" + ProcessHandle.current().pid());
    SmallFile.replaceDurably(file, new byte[1]);
    assertThat(file).hasSize(1);
    assertThat(file.toFile().delete()).isTrue();
  }

  @Test
  void aFullDiskIsTold() {
    String[] full = {"No space left on device", "Disk quota exceeded", "Disc quota exceeded"};
    for (String reason : full) {
      IOException e = new FileSystemException("/file", null, reason);
      assertThat(SmallFile.failed("cannot write", e).isOutOfSpace()).as(reason).isTrue();
      assertThat(SmallFile.failed("cannot write", new IOException(reason)).isOutOfSpace()).isTrue();
    }
    for (IOException e :
        new IOException[] {
          new FileSystemException("/file", null, "Permission denied"), new IOException()
        }) {
      StorageException told = SmallFile.failed("cannot write", e);
      assertThat(told.isOutOfSpace()).isFalse();
      assertThat(told.isRetryable()).isFalse();
      assertThat(told).hasMessageStartingWith("cannot write: ").hasMessageNotContaining("null");
    }
  }
}
