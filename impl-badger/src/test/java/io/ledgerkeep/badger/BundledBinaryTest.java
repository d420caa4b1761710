package io.ledgerkeep.badger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BundledBinaryTest {

  @TempDir private Path temporary;

  @Test
  void itIsUnpackedOnceForThisUserOnly() throws Exception {
    Stores.assumeSidecar();
    Path place = temporary.resolve("place");

    Path binary = BundledBinary.unpacked(Optional.of(place));

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place)))
        .isEqualTo("rwx------");
    Object first = Files.getAttribute(binary, "unix:ino");
    assertThat(BundledBinary.unpacked(Optional.of(place))).isEqualTo(binary);
    assertThat(Files.getAttribute(binary, "unix:ino")).isEqualTo(first);
  }

  @Test
  void oneThatWasChangedIsReplacedBeforeItIsRun() throws Exception {
    Stores.assumeSidecar();
    Path place = temporary.resolve("place");
    Path binary = BundledBinary.unpacked(Optional.of(place));
    String digest = BundledBinary.digest(binary);
    Files.writeString(binary, "#!/bin/sh\necho '{\"ready\":true}'\nsleep 1000\n");

    assertThat(BundledBinary.digest(BundledBinary.unpacked(Optional.of(place)))).isEqualTo(digest);
  }

  @Test
  void anArtifactWithAnotherDigestIsRefusedAndLeavesNothingToRun() throws Exception {
    Stores.assumeSidecar();
    String platform =
        BundledBinary.platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    String other = "0".repeat(64);

    assertThatThrownBy(() -> BundledBinary.unpacked(temporary.resolve("place"), platform, other))
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining(other)
        .hasMessageContaining("not run");
    assertThat(temporary.resolve("place").resolve(other.substring(0, 16))).isEmptyDirectory();
  }

  @Test
  void whereThereIsNoneForThePlatformTheErrorNamesTheArtifact() {
    assertThatThrownBy(
            () -> BundledBinary.unpacked(temporary.resolve("place"), "plan9-mips", "0".repeat(64)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("plan9-mips")
        .hasMessageContaining("'sidecar-binary'");
  }

  @Test
  void nothingIsRunThroughALink() throws Exception {
    Path place = Files.createDirectory(temporary.resolve("place"));
    Path link = Files.createSymbolicLink(temporary.resolve("link"), place);

    assertThatThrownBy(() -> BundledBinary.unpacked(link, "linux-x86_64", "0".repeat(64)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("is a link");
  }

  @Test
  void nothingIsRunFromAFolderThatOthersCanWriteTo() throws Exception {
    Path place = Files.createDirectory(temporary.resolve("place"));
    Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwxrwxrwx"));

    assertThatThrownBy(() -> BundledBinary.unpacked(place, "linux-x86_64", "0".repeat(64)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("others");
  }

  @Test
  void aBinaryThatIsAbsentOrEndsAtOnceIsTold() throws Exception {
    Path absent = temporary.resolve("absent");
    Path failing = temporary.resolve("failing");
    Files.writeString(failing, "#!/bin/sh\necho no luck today\nexit 7\n");
    Files.setPosixFilePermissions(failing, PosixFilePermissions.fromString("rwx------"));

    assertThatThrownBy(() -> open(absent))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(absent.toString());
    assertThatThrownBy(() -> open(failing))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("exit code 7")
        .hasMessageContaining("no luck today");
  }

  private void open(Path binary) {
    Stores.open(temporary.resolve("store"), Options.of("sidecar-binary", binary.toString()));
  }

  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux-x86_64",
    "Linux, aarch64, linux-aarch64",
    "Mac OS X, aarch64, darwin-aarch64",
    "Mac OS X, x86_64, darwin-x86_64"
  })
  void thePlatformIsNamedAsItsArtifact(String os, String architecture, String platform) {
    assertThat(BundledBinary.platform(os, architecture)).isEqualTo(platform);
  }
}
