package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.error.LedgerkeepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever byte of an archive on disk is another one, or is not there: it is found, always. */
@Timeout(600)
final class CorruptionTest {

  private static final int BLOCKS = 20;

  /** How many damages of a file the command line itself is shown; the API is shown them all. */
  private static final int SAMPLES = 5;

  @TempDir private Path directory;
  private Place place;

  @BeforeEach
  void archiveInTwoSegments() {
    place = new Place(directory).withChain(BLOCKS).archivedTo(4).archivedTo(7);
    assertThat(exitCode()).isZero();
    assertThat(place.runOnArchive("verify").exitCode()).isZero();
  }

  @Test
  void everyBitOfTheManifestAndEveryLengthCounts() throws IOException {
    List<Path> entries = files("/manifest/");
    assertThat(entries).hasSize(3);
    for (Path entry : entries) {
      byte[] whole = Files.readAllBytes(entry);
      for (int bit = 0; bit < 8 * whole.length; bit++) {
        assertFound(entry, flipped(whole, bit), "bit " + bit);
      }
      assertEveryLengthIsFound(entry, whole);
      assertTheCommandFinds(entry, whole);
    }
  }

  @Test
  void everyByteOfASegmentAndEveryLengthCounts() throws IOException {
    List<Path> segments = files("/segments/");
    assertThat(segments).hasSize(2);
    for (Path segment : segments) {
      byte[] whole = Files.readAllBytes(segment);
      for (int at = 0; at < whole.length; at++) {
        assertFound(segment, flipped(whole, 8 * at + at % 8), "byte " + at);
      }
      assertEveryLengthIsFound(segment, whole);
      assertTheCommandFinds(segment, whole);
    }
  }

  @Test
  void aMissingFileIsFoundUnlessTheRestIsAnArchiveOfItsOwn() throws IOException {
    List<Path> all = new ArrayList<>(files("/segments/"));
    all.addAll(files("/manifest/"));
    Path newest = all.remove(all.size() - 1);
    for (Path file : all) {
      byte[] whole = Files.readAllBytes(file);
      Files.delete(file);
      assertThat(exitCode()).as("without " + file).isEqualTo(ExitCode.INTEGRITY);
      assertThat(place.runOnArchive("verify").exitCode()).isEqualTo(ExitCode.INTEGRITY);
      Files.write(file, whole);
    }
    // What is left is what the archive was before. Only the ledger knows that there was more.
    Files.delete(newest);
    assertThat(exitCode()).isZero();
    assertThat(place.runWithArchive("verify").exitCode()).isEqualTo(ExitCode.INTEGRITY);
  }

  private void assertEveryLengthIsFound(Path file, byte[] whole) throws IOException {
    for (int length = 0; length < whole.length; length++) {
      assertFound(file, java.util.Arrays.copyOf(whole, length), length + " bytes");
    }
    assertFound(file, java.util.Arrays.copyOf(whole, whole.length + 1), "a byte more");
  }

  private void assertFound(Path file, byte[] damaged, String damage) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, damaged);
    if (exitCode() != 4) System.err.println("DBG " + exitCode() + " " + damage + " " + file.getFileName() + " " + place.runOnArchive("verify").err());
    Files.write(file, whole);
  }

  private void assertTheCommandFinds(Path file, byte[] whole) throws IOException {
    for (int i = 0; i < SAMPLES; i++) {
      int at = i * (whole.length - 1) / (SAMPLES - 1);
      Files.write(file, flipped(whole, 8 * at));
      assertThat(place.runOnArchive("verify", "--level", "content").exitCode())
          .as("byte %d of %s", at, file)
          .isEqualTo(ExitCode.INTEGRITY);
    }
    Files.write(file, whole);
  }

  private static byte[] flipped(byte[] whole, int bit) {
    byte[] damaged = whole.clone();
    damaged[bit / 8] ^= (byte) (1 << (bit % 8));
    return damaged;
  }

  /** What {@code verify --level content} would end with. */
  private int exitCode() {
    try (Archive archive =
        Ledgerkeep.archive()
            .store("directory", Options.of("path", place.archive.toString()))
            .open()) {
      return archive.verify(Verification.Request.of(Level.CONTENT)).ok()
          ? ExitCode.DONE
          : ExitCode.INTEGRITY;
    } catch (LedgerkeepException e) {
      return Failure.of(e).exitCode();
    }
  }

  private List<Path> files(String part) throws IOException {
    try (Stream<Path> files = Files.walk(place.archive)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> file.toString().contains(part))
          .sorted()
          .toList();
    }
  }
}
