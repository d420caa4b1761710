package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AtomicFileTest {

  @TempDir private Path directory;

  @Test
  void theOldContentStaysUntilTheNewIsWhole() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "old");
    AtomicFile.replace(
        file,
        out -> {
          out.write("new".getBytes());
          assertThat(file).hasContent("old");
          return null;
        });
    assertThat(file).hasContent("new");
    assertThat(directory).isDirectoryNotContaining("glob:**.part");
  }

  /** To copy the finished file over the old one would show readers half of it. */
  @Test
  void theFileThatWasWrittenBesideItTakesItsPlace() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "old");
    Object written = AtomicFile.replace(file, out -> fileKey(onlyPartFile()));
    assertThat(fileKey(file)).isEqualTo(written);
  }

  private Path onlyPartFile() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(f -> f.toString().endsWith(".part")).findFirst().orElseThrow();
    }
  }

  private static Object fileKey(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
  }

  @Test
  void whatFailsHalfwayLeavesNothing() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "old");
    assertThatThrownBy(
            () ->
                AtomicFile.replace(
                    file,
                    out -> {
                      out.write("half".getBytes());
                      throw new IOException("no more");
                    }))
        .hasMessage("no more");
    assertThat(file).hasContent("old");
    assertThat(directory).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void aLinkStaysALink() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "old");
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);
    AtomicFile.replace(
        link,
        out -> {
          out.write("new".getBytes());
          return null;
        });
    assertThat(link).isSymbolicLink();
    assertThat(file).hasContent("new");
  }

  @Test
  void ofALinkToNothingItsTargetIsMade() throws IOException {
    Files.createDirectory(directory.resolve("sub"));
    Path second = Files.createSymbolicLink(directory.resolve("sub/second"), Path.of("../file"));
    Path first = Files.createSymbolicLink(directory.resolve("first"), Path.of("sub/second"));
    AtomicFile.replace(
        first,
        out -> {
          out.write("new".getBytes());
          return null;
        });
    assertThat(first).isSymbolicLink();
    assertThat(second).isSymbolicLink();
    assertThat(directory.resolve("file")).hasContent("new");
  }

  @Test
  void linksThatLeadInACircleAreRefused() throws IOException {
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("link"));
    assertThatThrownBy(() -> AtomicFile.replace(link, out -> null))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("circle");
  }

  @Test
  void aDirectoryThatIsNotThereIsNamed() {
    Path file = directory.resolve("absent/file");
    assertThatThrownBy(() -> AtomicFile.replace(file, out -> null))
        .isInstanceOfSatisfying(
            FileSystemException.class,
            e ->
                assertThat(Failure.of(e).message())
                    .isEqualTo("there is no directory: " + directory.resolve("absent")));
  }

  @Test
  void aDeviceIsWrittenToAndNotReplaced() throws IOException {
    Path device = Path.of("/dev/null");
    AtomicFile.replace(
        device,
        out -> {
          out.write(1);
          return null;
        });
    assertThat(Files.isRegularFile(device)).isFalse();
  }
}
