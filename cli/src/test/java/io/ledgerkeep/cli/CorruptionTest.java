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
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
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

  /** Damage of what names its own format is no other than a format of the future. */
  @Test
  void everyByteOfTheManifestAndEveryLengthCounts() throws IOException {
    List<Path> entries = files("/manifest/");
    assertThat(entries).hasSize(3);
    for (Path entry : entries) {
      assertEveryDamageIsFound(entry, ExitCode.INTEGRITY, ExitCode.REFUSED);
    }
  }

  @Test
  void everyByteOfASmallSegmentAndEveryLengthCounts() throws IOException {
    assertEveryDamageIsFound(files("/segments/").get(1), ExitCode.INTEGRITY);
  }

  @Test
  @Tag("long")
  @Timeout(3600)
  void everyByteOfASegmentWithGenesisCounts() throws IOException {
    assertEveryDamageIsFound(files("/segments/").get(0), ExitCode.INTEGRITY);
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

  /** Every byte with another bit flipped, every length, as the API finds them; some by command. */
  private void assertEveryDamageIsFound(Path file, Integer... codes) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    System.out.println(file.getFileName() + ": " + whole.length + " bytes");
    for (int at = 0; at < whole.length; at++) {
      Files.write(file, flipped(whole, at));
      assertThat(exitCode()).as("byte %d of %s", at, file).isIn((Object[]) codes);
      Files.write(file, Arrays.copyOf(whole, at));
      assertThat(exitCode()).as("%d bytes of %s", at, file).isIn((Object[]) codes);
    }
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    assertThat(exitCode()).as("a byte more than %s", file).isIn((Object[]) codes);
    for (int sample = 0; sample < SAMPLES; sample++) {
      int at = sample * (whole.length - 1) / (SAMPLES - 1);
      Files.write(file, flipped(whole, at));
      assertThat(place.runOnArchive("verify", "--level", "content").exitCode())
          .as("byte %d of %s", at, file)
          .isIn((Object[]) codes);
    }
    Files.write(file, whole);
    assertThat(exitCode()).isZero();
  }

  private static byte[] flipped(byte[] whole, int at) {
    byte[] damaged = whole.clone();
    damaged[at] ^= (byte) (1 << at % 8);
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
