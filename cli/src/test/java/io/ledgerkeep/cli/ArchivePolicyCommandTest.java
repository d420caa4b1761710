package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import io.ledgerkeep.core.segment.SegmentWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
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
  void aDryRunTellsWhatIsDueAndWhatItWaitsFor() throws IOException {
    Path config = config("  archive_keep_blocks: 20\n  unarchive_block_height: 10\n");
    assertThat(Run.of("--config", config, "init").exitCode()).isEqualTo(ExitCode.DONE);
    Run none = Run.of("--config", config, "archive", "--policy", "--dry-run");
    assertThat(none.out()).contains("the rules let all blocks stay");
    assertThat(Run.reading(Place.chain(60), "--config", config, "import", "-").exitCode()).isZero();

    Run run = Run.of("--config", config, "archive", "--policy", "--dry-run");
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    assertThat(run.out())
        .contains("nothing to archive", "blocks up to height 39", "segment of 134.2 MB", "more");
    Map<String, Object> json =
        Run.of("--config", config, "archive", "--policy", "--dry-run", "--json").json();
    long blocks = ((Number) json.get("dueBlocks")).longValue();
    long bytes = ((Number) json.get("dueStoredBytes")).longValue();
    long more = ((Number) json.get("blocksUntilFull")).longValue();
    assertThat(blocks).isBetween(30L, 39L);
    assertThat((blocks + more) * bytes / blocks)
        .isCloseTo(SegmentWriter.FULL_STORED_BYTES, withPercentage(1));
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
