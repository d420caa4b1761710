package io.ledgerkeep.leveldb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test needs a process that has not loaded the library yet. */
final class NativeLibraryTest {

  private static final String OPENED = "opened";

  @TempDir private Path temporary;

  private Path libraries;

  @BeforeEach
  void chooseDirectory() throws IOException {
    libraries = Files.createDirectory(temporary.resolve("libraries"));
  }

  @Test
  void itIsUnpackedToTheTemporaryDirectory() throws Exception {
    assertThat(openStore(List.of("-Djava.io.tmpdir=" + libraries))).contains(OPENED);
    assertThat(Stores.list(libraries)).isEmpty();
  }

  @Test
  void whereItCannotBeUnpackedTheErrorNamesTheWayOut() throws Exception {
    assertThat(openStore(nowhereToUnpack()))
        .doesNotContain(OPENED)
        .contains(ConfigurationException.class.getName())
        .contains("'native-directory'")
        .contains("-Dlibrary.leveldbjni.path");
  }

  @Test
  void theOptionNamesADirectoryToUnpackTo() throws Exception {
    assertThat(openStore(nowhereToUnpack(), libraries.toString())).contains(OPENED);
  }

  @Test
  void thePropertyNamesADirectoryToUnpackTo() throws Exception {
    List<String> options = new ArrayList<>(nowhereToUnpack());
    options.add("-Dlibrary.leveldbjni.path=" + libraries);

    assertThat(openStore(options)).contains(OPENED);
  }

  @Test
  void aFailedLoadCanBeTriedAgainWithAnotherDirectory() throws Exception {
    assertThat(openStore(nowhereToUnpack(), "/dev/null/nowhere", libraries.toString()))
        .contains(ConfigurationException.class.getName())
        .contains(OPENED);
  }

  @Test
  void aLibraryThatLiesReadyIsUsed() throws Exception {
    String resource = "META-INF/native/linux64/libleveldbjni.so";
    var source = getClass().getClassLoader().getResourceAsStream(resource);
    assumeTrue(
        source != null && System.getProperty("os.arch").equals("amd64"), "not Linux on x86-64");
    try (source) {
      Files.copy(source, libraries.resolve("libleveldbjni.so"));
    }

    assertThat(openStore(nowhereToUnpack(), libraries.toString()))
        .contains(OPENED)
        .contains(libraries.resolve("libleveldbjni.so").toString());
  }

  @Test
  void aDirectoryThatForbidsExecutionIsToldApart() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(temporary.resolve("noexec"), 8 << 20)) {
      disk.forbidExecution();
      List<String> options =
          List.of("-Djava.io.tmpdir=" + disk.root(), "-Duser.home=/dev/null/nowhere");

      assertThat(openStore(options)).doesNotContain(OPENED).contains("noexec");
      assertThat(openStore(options, libraries.toString())).contains(OPENED);
    }
  }

  private static List<String> nowhereToUnpack() {
    return List.of("-Djava.io.tmpdir=/dev/null/nowhere", "-Duser.home=/dev/null/nowhere");
  }

  private String openStore(List<String> options, String... nativeDirectories) throws Exception {
    List<String> arguments = new ArrayList<>();
    arguments.add(temporary.resolve("store").toString());
    arguments.addAll(List.of(nativeDirectories));
    try (OtherJvm jvm =
        OtherJvm.start(options, NativeLibraryTest.class, arguments.toArray(String[]::new))) {
      return jvm.all();
    }
  }

  /** Opens a store with each of the native directories, or with none. */
  public static void main(String[] arguments) {
    if (arguments.length == 1) {
      open(arguments[0], Options.none());
    }
    for (int i = 1; i < arguments.length; i++) {
      open(arguments[0], Options.of("native-directory", arguments[i]));
    }
  }

  private static void open(String store, Options options) {
    try (StorageEngine engine = Stores.open(Path.of(store), options)) {
      System.out.println(OPENED + " with " + engine.sizeBytes() + " bytes");
      System.out.println(Files.exists(Path.of("/proc/self/maps")) ? mapped() : "");
    } catch (ConfigurationException e) {
      System.out.println(e);
    }
  }

  /** Returns where the library was loaded from. */
  private static String mapped() {
    try {
      return Files.readAllLines(Path.of("/proc/self/maps")).stream()
          .filter(line -> line.contains("leveldbjni") && line.endsWith(".so"))
          .findFirst()
          .orElse("nowhere");
    } catch (IOException e) {
      return e.toString();
    }
  }
}
