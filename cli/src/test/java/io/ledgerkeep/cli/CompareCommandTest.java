package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people and programs are told of two ledgers. */
final class CompareCommandTest {

  private static final List<Block> BLOCKS = MarkedChain.blocks(40);

  @TempDir private Path directory;

  private Place place(String name, String... storage) {
    String[] lines = new String[storage.length + 1];
    lines[0] = "reserve_bytes: 0";
    System.arraycopy(storage, 0, lines, 1, storage.length);
    return new Place(
        directory, directory.resolve(name), directory.resolve("archive-" + name), lines);
  }

  @Test
  void aLedgerAndItsEncryptedTwinAreEqual() {
    String[] sealed = {"encryptor: aes", "encrypt_key: \"0x000102030405060708090a0b0c0d0e0f\""};
    place("sealed", sealed).withChain(Place.lines(BLOCKS)).archivedTo(20);
    Place plain = place("plain").withChain(Place.lines(BLOCKS));
    Path other =
        plain.write(
            "other.yml",
            "storage:\n  archive_path: %s\n  %s\n"
                .formatted(directory.resolve("archive-sealed"), String.join("\n  ", sealed)));
    Object[] dirs = {
      "--config", plain.config, "compare", plain.data, directory.resolve("sealed"),
    };
    Run equal = Run.of(join(dirs, "--other-config", other));
    assertThat(equal.exitCode()).as(equal.err()).isZero();
    assertThat(equal.out()).contains("equal: 40 blocks, state and history");
    assertThat(equal.out()).doesNotContain("recorded digests");
    assertThat(Run.of(dirs).exitCode()).isEqualTo(ExitCode.REFUSED); // its key is missing

    Run nowhere =
        Run.of(join(dirs, "--other-config", other, "--other-archive", directory.resolve("none")));
    assertThat(nowhere.exitCode()).isEqualTo(ExitCode.REFUSED);
  }

  private static Object[] join(Object[] first, Object... more) {
    return Stream.concat(Stream.of(first), Stream.of(more)).toArray();
  }

  @Test
  void theFirstDifferenceIsToldAndTheExitCodeIsOne() {
    Place one = place("one").withChain(Place.lines(BLOCKS));
    place("other").withChain(Place.lines(BLOCKS.subList(0, 30)));
    Run run =
        Run.of("--config", one.config, "compare", one.data, directory.resolve("other"), "--json");
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.json())
        .containsEntry("equal", false)
        .containsEntry("part", "height")
        .containsEntry("differsAt", 30L)
        .containsEntry("blocks", 30L);
    Run told = Run.of("--config", one.config, "compare", one.data, directory.resolve("other"));
    assertThat(told.out()).contains("first difference: height 30", "equal before that: 30 blocks");
    assertThat(Run.of("compare", one.data).exitCode()).isEqualTo(ExitCode.USAGE);
  }
}
