package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Block;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A block whose hash somebody kept elsewhere shows what no file of a ledger can show. */
final class ExpectedBlockTest {

  private static final List<Block> CHAIN = Place.blocks(120);

  @TempDir private Path directory;

  private static String anchor(int height) {
    return height + ":" + CHAIN.get(height).hash().hex();
  }

  @Test
  void aWholeDirectorySetBackIsFoundByItOnly() throws IOException {
    Place place = new Place(directory).withChain(60);
    Path copy = directory.resolve("copy");
    copy(place.data, copy);
    assertThat(Run.reading(Place.chain(120), place.withData("import", "-")).exitCode()).isZero();
    assertThat(place.run("verify", "--expect", anchor(119)).exitCode()).isZero();

    MoreFiles.deleteRecursively(place.data, RecursiveDeleteOption.ALLOW_INSECURE);
    copy(copy, place.data);
    assertThat(place.run("verify").exitCode()).isZero();
    Run found = place.run("verify", "--expect", anchor(119));
    assertThat(found.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(found.out())
        .contains("block 119 is expected with the hash " + CHAIN.get(119).hash().hex())
        .contains("ends at height 59")
        .contains("1 finding");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      files.forEach(
          file -> {
            try {
              Files.copy(file, to.resolve(from.relativize(file).toString()));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }
  }

  @Test
  void anotherHashIsToldWithTheOneFoundAndEveryAnchorIsLookedAt() {
    Place place = new Place(directory).withChain(60);
    String wrong = "7:" + CHAIN.get(8).hash().hex();
    for (String level : List.of("structure", "bytes", "content", "ledger")) {
      Run run =
          place.run(
              "verify",
              "--level",
              level,
              "--expect",
              anchor(3),
              "--expect",
              wrong,
              "--expect",
              anchor(99));
      assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
      assertThat(run.out())
          .contains(
              "block 7 is expected with the hash %s, but has %s"
                  .formatted(CHAIN.get(8).hash().hex(), CHAIN.get(7).hash().hex()))
          .contains("block 99 is expected")
          .contains("2 findings");
    }
  }

  @Test
  void anArchiveOnItsOwnIsHeldAgainstItToo() {
    Place place = new Place(directory).withChain(120).archivedTo(100);
    assertThat(place.runOnArchive("verify", "--expect", anchor(100)).exitCode()).isZero();
    Run beyond = place.runOnArchive("verify", "--level", "bytes", "--expect", anchor(101));
    assertThat(beyond.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(beyond.out()).contains("the archive ends at height 100");
    Run wrong = place.runOnArchive("verify", "--expect", "5:" + CHAIN.get(6).hash().hex());
    assertThat(wrong.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(wrong.out()).contains("but has " + CHAIN.get(5).hash().hex());
    assertThat(
            place
                .runWithArchive("verify", "--expect", anchor(50), "--expect", anchor(119))
                .exitCode())
        .isZero();
  }

  @Test
  void whatIsNoAnchorIsWrongUsage() {
    Place place = new Place(directory).withChain(5);
    for (String anchor :
        List.of("5", ":00", "-1:00", "5:0", "5:xy", "x:00", "5:" + "00".repeat(65))) {
      Run run = place.run("verify", "--expect", anchor);
      assertThat(run.exitCode()).as(anchor).isEqualTo(ExitCode.USAGE);
      assertThat(run.err()).contains("--expect");
    }
  }
}
