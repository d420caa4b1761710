package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DemoCommandTest {

  @TempDir private Path directory;

  @Test
  void theDemoTellsEachStepAndProvesEquality() {
    Run run = Run.of("demo");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("archived block", "freed", "read block", "and its RWSet", "nothing was lost");
  }

  @Test
  void theDemoTakesAChainOfItsUsersAndCleansUp() throws Exception {
    Path chain = Files.writeString(directory.resolve("chain.jsonl"), Place.chain(101));
    Path data = directory.resolve("data");
    Path archive = directory.resolve("archive");
    Run run = Run.of("demo", chain, "--data", data, "--archive", archive, "--json");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.json())
        .containsEntry("blocks", 101L)
        .containsEntry("archivedHeight", 90L)
        .containsEntry("restoredBlocks", 90L)
        .containsEntry("equal", true);
    assertThat(data).isDirectory();
    assertThat(archive).isDirectory();
    assertThat(Run.of("demo", chain, "--data", data).exitCode())
        .as("a ledger that exists is left alone")
        .isEqualTo(ExitCode.REFUSED);
  }

  @Test
  void theDemoLeavesNothingBehindUnlessToldTo() throws Exception {
    long before = temporaryDirectories();
    assertThat(
            Run.of("demo", Files.writeString(directory.resolve("c"), Place.chain(30))).exitCode())
        .isZero();
    assertThat(temporaryDirectories()).isEqualTo(before);
    Run kept = Run.of("demo", "--keep", directory.resolve("c"));
    assertThat(kept.err()).contains("left in place");
    assertThat(temporaryDirectories()).isEqualTo(before + 1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 11})
  void aChainTooShortToArchiveIsAFailureThatSaysSo(int blocks) throws Exception {
    Run run = Run.of("demo", Files.writeString(directory.resolve("c"), Place.chain(blocks)));
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err()).contains("longer chain");
  }

  @Test
  void theDemoCanBeInterrupted() {
    assertThat(Run.interrupted("demo").exitCode()).isEqualTo(ExitCode.INTERRUPTED);
  }

  private static long temporaryDirectories() throws Exception {
    try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("ledgerkeep-demo-"))
          .count();
    }
  }
}
