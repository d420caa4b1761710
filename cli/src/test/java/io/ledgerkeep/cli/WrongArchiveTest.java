package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A directory in the archive's place that is not the archive this ledger last wrote. Jobs refuse
 * it, the check names it, and everything goes on once the right one is back.
 */
@Timeout(120)
final class WrongArchiveTest {

  private static final int BLOCKS = 100;
  private static final String CHAIN = Place.chain(BLOCKS);
  private static final Object[][] COMMANDS = {
    {"archive", "--to", 80, "--yes"}, {"restore", "--down-to", 10, "--yes"}, {"export", "-"}
  };

  @TempDir private Path directory;
  private Place place;
  private Path olderArchive;
  private Path olderData;
  private Path right;

  @BeforeEach
  void archiveTwice() throws IOException {
    place = new Place(directory).withChain(BLOCKS).archivedTo(40);
    olderArchive = directory.resolve("older-archive");
    olderData = directory.resolve("older-data");
    copy(place.archive, olderArchive);
    copy(place.data, olderData);
    place.archivedTo(60);
    right = Files.move(place.archive, directory.resolve("right"));
  }

  @AfterEach
  void theRightOneServes() throws IOException {
    if (Files.isDirectory(place.archive)) {
      MoreFiles.deleteRecursively(place.archive, RecursiveDeleteOption.ALLOW_INSECURE);
    } else {
      Files.deleteIfExists(place.archive);
    }
    Files.move(right, place.archive);
    assertThat(place.run("status", "--json").json()).containsEntry("archivedHeight", 60L);
    assertThat(place.runWithArchive("export", "-").out()).isEqualTo(CHAIN);
    assertThat(place.runWithArchive("verify").exitCode()).isZero();
    assertThat(place.archivedTo(70).runWithArchive("restore", "--down-to", 1, "--yes").exitCode())
        .isZero();
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  @Test
  void noneAtAllAsWhenItsDiskIsNotMounted() {
    assertIsRefused();
    assertThat(place.archive).doesNotExist();
  }

  @Test
  void anEmptyOne() throws IOException {
    Files.createDirectory(place.archive);
    assertIsRefused();
    assertThat(place.archive).isEmptyDirectory();
  }

  @Test
  void anOlderOne() throws IOException {
    copy(olderArchive, place.archive);
    assertIsRefused();
    assertThat(place.runOnArchive("verify").exitCode()).as("in itself it is well").isZero();
  }

  @Test
  void thatOfAnotherLedgerOfTheSameChain() throws IOException {
    Place other = new Place(Files.createDirectory(directory.resolve("other")));
    other.withChain(BLOCKS).archivedTo(60);
    copy(other.archive, place.archive);
    assertIsRefused();
  }

  @Test
  void aFile() throws IOException {
    Files.writeString(place.archive, "no directory");
    for (Object[] command : COMMANDS) {
      assertThat(place.runWithArchive(command).exitCode()).isEqualTo(ExitCode.USAGE);
    }
    assertThat(place.runOnArchive("verify").exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(place.archive).hasContent("no directory");
  }

  /** A ledger put back from a copy finds more in the archive than it knows of; that is no wrong. */
  @Test
  void aNewerOneServes() throws IOException {
    MoreFiles.deleteRecursively(place.data, RecursiveDeleteOption.ALLOW_INSECURE);
    copy(olderData, place.data);
    copy(right, place.archive);
    assertThat(place.runWithArchive("export", "-").out()).isEqualTo(CHAIN);
    place.archivedTo(60);
  }

  private void assertIsRefused() {
    for (Object[] command : COMMANDS) {
      Run run = place.runWithArchive(command);
      assertThat(run.err()).contains("is not the archive this ledger last wrote");
      assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
    }
    Run verify = place.runWithArchive("verify");
    assertThat(verify.out()).contains("is not the archive this ledger last wrote");
    assertThat(verify.exitCode()).isEqualTo(ExitCode.INTEGRITY);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        Files.copy(path, to.resolve(from.relativize(path).toString()));
      }
    }
  }
}
