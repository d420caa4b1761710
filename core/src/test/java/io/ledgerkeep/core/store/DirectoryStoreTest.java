package io.ledgerkeep.core.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.ArchiveStoreProvider;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.StorageException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class DirectoryStoreTest {

  private static final String NAME = "genesis/ledger/one";

  @TempDir Path temporary;
  private Path root;
  private ArchiveStore store;

  @BeforeEach
  void open() {
    root = temporary.resolve("archive");
    store = new DirectoryStore(root);
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void itIsFoundByName() {
    assertThat(ServiceLoader.load(ArchiveStoreProvider.class))
        .anyMatch(provider -> provider.name().equals("directory"));
  }

  @Test
  void wrongOptionsAreRefused() throws IOException {
    var provider = new DirectoryStoreProvider();
    assertThatThrownBy(() -> provider.open(Options.none()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("path");
    assertThatThrownBy(() -> provider.open(Options.of("path", "x", "pth", "y")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("pth");
    Path file = Files.createFile(temporary.resolve("file"));
    assertThatThrownBy(() -> provider.open(Options.of("path", file.toString())))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("no directory");
  }

  @Test
  void anAbsentDirectoryIsAnEmptyStoreAndIsMadeByTheFirstObject() {
    assertThat(store.list("")).isEmpty();
    assertThat(store.size(NAME)).isEmpty();
    store.delete(NAME);
    assertThat(root).doesNotExist();

    store.put(NAME, Bytes.ofUtf8("x")::writeTo);
    assertThat(root.resolve(NAME)).hasContent("x");
  }

  @Test
  void whereTheDirectoryAboveIsAbsentTooNothingIsMade() {
    try (ArchiveStore lost = new DirectoryStore(temporary.resolve("unmounted/archive"))) {
      assertThatThrownBy(() -> lost.put(NAME, Bytes.EMPTY::writeTo))
          .isInstanceOf(StorageException.class)
          .hasMessageContaining("mount");
      assertThat(temporary.resolve("unmounted")).doesNotExist();
      assertThat(lost.list("")).isEmpty();
    }
  }

  @Test
  void anObjectIsAReadOnlyFileAndNothingElseIsLeft() throws IOException {
    store.put(NAME, Bytes.ofUtf8("x")::writeTo);
    assertThat(Files.getPosixFilePermissions(root.resolve(NAME)))
        .doesNotContain(PosixFilePermission.OWNER_WRITE, PosixFilePermission.GROUP_WRITE);
    assertThat(filesIn("genesis/ledger")).containsExactly("one");
  }

  @Test
  void aFailureThatTheContentHidesIsNotForgotten() {
    assertThatThrownBy(
            () ->
                store.put(
                    NAME,
                    out -> {
                      Thread.currentThread().interrupt();
                      try {
                        out.write(new byte[1 << 20]);
                      } catch (IOException e) {
                        assertThat(Thread.interrupted()).isTrue();
                      }
                    }))
        .isInstanceOf(StorageException.class);
    assertThat(store.size(NAME)).isEmpty();
  }

  @Test
  void leftoversOfDeadAttemptsAreRemovedAndLiveOnesStay() throws IOException {
    Path directory = Files.createDirectories(root.resolve("genesis/ledger"));
    Files.writeString(directory.resolve(".one.0123456789abcdef.part"), "half");
    Path readOnly = Files.writeString(directory.resolve(".two.0123456789abcdef.part"), "half");
    assertThat(readOnly.toFile().setReadOnly()).isTrue();
    Files.writeString(directory.resolve(".hidden"), "not ours");
    store.put(
        NAME,
        out -> {
          assertThat(filesIn("genesis/ledger")).hasSize(2).contains(".hidden");
          try (ArchiveStore other = new DirectoryStore(root)) {
            other.put("genesis/ledger/other", Bytes.EMPTY::writeTo);
          }
          out.write('x');
        });
    assertThat(filesIn("genesis/ledger")).containsExactlyInAnyOrder("one", "other", ".hidden");
    assertThat(store.list("")).containsExactly(NAME, "genesis/ledger/other");
  }

  @Test
  void theAttemptOfAnotherProcessIsLeftAloneWhileItLives() throws Exception {
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                SlowWriter.class.getName(),
                root.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader said = writer.inputReader(StandardCharsets.UTF_8)) {
      assertThat(said.readLine()).isEqualTo("writing");
      store.put("genesis/ledger/mine", Bytes.EMPTY::writeTo);
      assertThat(filesIn("genesis/ledger")).hasSize(2).contains("mine");
    } finally {
      writer.destroyForcibly().waitFor();
    }
    assertThat(filesIn("genesis/ledger")).hasSize(2);
    try (ArchiveStore later = new DirectoryStore(root)) {
      later.put(NAME, Bytes.EMPTY::writeTo);
    }
    assertThat(filesIn("genesis/ledger")).containsExactlyInAnyOrder("mine", "one");
  }

  /** Begins an object, says so and waits to be killed. */
  static final class SlowWriter {

    public static void main(String[] arguments) {
      new DirectoryStore(Path.of(arguments[0]))
          .put(
              NAME,
              out -> {
                out.write(new byte[1 << 20]);
                System.out.println("writing");
                System.in.read();
              });
    }
  }

  @Test
  void linksBelowTheStoreAreNotFollowed() throws IOException {
    Path elsewhere = Files.createDirectories(temporary.resolve("elsewhere/ledger"));
    Files.writeString(elsewhere.resolve("one"), "secret");
    Files.createDirectories(root.resolve("other"));
    Files.createSymbolicLink(root.resolve("genesis"), elsewhere.getParent());
    Files.createSymbolicLink(root.resolve("other/one"), elsewhere.resolve("one"));

    for (String name : List.of(NAME, "other/one")) {
      assertThatThrownBy(() -> store.get(name, 0, 10)).isInstanceOf(StorageException.class);
      assertThatThrownBy(() -> store.size(name)).isInstanceOf(StorageException.class);
      assertThatThrownBy(() -> store.delete(name)).isInstanceOf(StorageException.class);
      assertThatThrownBy(() -> store.put(name, Bytes.EMPTY::writeTo))
          .isInstanceOf(StorageException.class);
    }
    assertThat(store.list("")).isEmpty();
    assertThat(elsewhere.resolve("one")).hasContent("secret");
    try (var files = Files.list(elsewhere)) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void theDirectoryOfTheStoreMayBeALink() throws IOException {
    Path real = Files.createDirectory(temporary.resolve("real"));
    Files.createSymbolicLink(root, real);
    store.put(NAME, Bytes.ofUtf8("x")::writeTo);
    assertThat(real.resolve(NAME)).hasContent("x");
    assertThat(store.list("gen")).containsExactly(NAME);
  }

  @Test
  void moreObjectsThanFilesAreKeptOpenAreReadByManyThreads() throws Exception {
    int objects = 200;
    for (int i = 0; i < objects; i++) {
      store.put("objects/" + i, Bytes.ofUtf8("content of " + i)::writeTo);
    }
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> readers = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        int step = 2 * t + 1;
        readers.add(threads.submit(() -> readAll(objects, step)));
      }
      for (Future<?> reader : readers) {
        reader.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private void readAll(int objects, int step) {
    for (int i = 0; i < objects * 5; i++) {
      int object = i * step % objects;
      assertThat(store.get("objects/" + object, 0, 100).utf8()).isEqualTo("content of " + object);
    }
  }

  @Test
  void anInterruptedReaderKeepsItsInterruptAndHarmsNobodyElse() {
    store.put(NAME, Bytes.ofUtf8("content")::writeTo);
    assertThat(store.get(NAME, 0, 3).utf8()).isEqualTo("con");
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> store.get(NAME, 0, 7))
          .isInstanceOfSatisfying(
              StorageException.class, e -> assertThat(e.isRetryable()).isTrue());
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(store.get(NAME, 3, 7).utf8()).isEqualTo("tent");
  }

  private List<String> filesIn(String directory) {
    try (var files = Files.list(root.resolve(directory))) {
      return files.map(file -> file.getFileName().toString()).toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
