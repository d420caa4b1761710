package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArchivePolicyCommandTest {

  @TempDir private Path directory;

  @Test
  void whatFillsNoSegmentIsNothingToDo() throws IOException {
    Path config = config("  archive_keep_blocks: 20\n");
    assertThat(Run.of("--config", config, "init", "--unarchived-blocks", "10").exitCode())
        .isEqualTo(ExitCode.DONE);
    for (String last : new String[] {"--dry-run", "--yes"}) {
      Run run = Run.of("--config", config, "archive", "--policy", last);
      assertThat(run.err()).isEmpty();
      assertThat(run.out()).contains("nothing to archive: the archived height is 0");
      assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
    }
  }

  @Test
  void withoutARuleThereIsNoPolicy() throws IOException {
    Run run = Run.of("--config", config(""), "archive", "--policy", "--yes");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("archive_keep_blocks", "archive_free_bytes");
  }

  @Test
  void aHeightOrAPolicyHasToBeGivenAndNotBoth() throws IOException {
    Path config = config("  archive_keep_blocks: 20\n");
    assertThat(Run.of("--config", config, "archive", "--yes").exitCode()).isEqualTo(ExitCode.USAGE);
    Run both = Run.of("--config", config, "archive", "--policy", "--to", "5", "--yes");
    assertThat(both.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(both.err()).contains("--to", "--policy");
  }

  private Path config(String rules) throws IOException {
    return Files.writeString(
        directory.resolve("node.yml"),
        "storage:\n  store_path: %s\n  archive_path: %s\n  reserve_bytes: 0\n%s"
            .formatted(directory.resolve("ledger"), directory.resolve("archive"), rules));
  }
}
