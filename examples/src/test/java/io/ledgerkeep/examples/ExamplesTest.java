package io.ledgerkeep.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ExamplesTest {

  @TempDir Path directory;

  @Test
  void commitAndReadTellsWhatWasCommitted() {
    assertThat(output(CommitAndRead::run))
        .containsExactly(
            "height 99",
            "block 42 by height and by hash: true",
            "pay Alice 42, 1 write",
            "block 1000: false",
            "block 42 is NORMAL with 2 ids",
            "Alice has 99",
            "clerk-0 has 98",
            "clerk-1 has 99",
            "clerk-2 has 93",
            "clerk-3 has 94",
            "clerk-4 has 95",
            "clerk-5 has 96",
            "clerk-6 has 97",
            "Alice was written by pay-99 in block 99",
            "Alice was written by pay-98 in block 98",
            "Alice was written by pay-97 in block 97");
  }

  @Test
  void readAtOneHeightStaysThereWhileTheChainGoesOn() {
    assertThat(output(ReadAtOneHeight::run))
        .containsExactly(
            "the view is at height 49, where Alice has 49",
            "the ledger is at height 59, where Alice has 59");
  }

  @Test
  void archiveOldBlocksStillReadsEverything() {
    assertThat(output(ArchiveOldBlocks::run))
        .containsExactly(
            "archivable up to 89",
            "PROTECTED: cannot archive up to 50: it is a config block, which stays on the node;"
                + " nearest heights: 49 and 51",
            "would archive 77 blocks",
            "archived 77 blocks, up to 80",
            "archived block 42",
            "block 50 is here: true",
            "meta 42 is here: true",
            "read through: pay Alice 42");
  }

  @Test
  void archiveOnAScheduleLeavesWhatFillsNoSegment() {
    List<String> lines = output(ArchiveOnASchedule::run);

    assertThat(lines.get(0)).isEqualTo("due up to 79");
    assertThat(lines.subList(1, lines.size() - 1))
        .hasSizeGreaterThan(1)
        .containsOnly("archived 0 blocks");
  }

  @Test
  void watchAJobStopsItAndRunsItAgain() {
    List<String> lines = output(WatchAJob::run);

    assertThat(lines).hasSize(2);
    assertThat(lines.get(0)).startsWith("stopped: true");
    assertThat(lines.get(1)).startsWith("stopped: false");
  }

  @Test
  void metricsOfANodeAreInItsRegistry() {
    assertThat(output(MetricsOfANode::run))
        .contains(
            "# TYPE ledgerkeep_height_blocks gauge",
            "ledgerkeep_height_blocks 99.0",
            "ledgerkeep_height_archived_blocks 80.0",
            "ledgerkeep_archive_segments 1.0",
            "ledgerkeep_storage_up 1.0",
            "ledgerkeep_job_ended_seconds_count{job=\"archive\",state=\"done\"} 1")
        .anyMatch(
            line -> line.matches("ledgerkeep_database_size_bytes\\{database=\"state\"} [1-9].*"))
        .anyMatch(line -> line.matches("ledgerkeep_disk_free_bytes\\{disk=\"ledger\"} [1-9].*"));
  }

  @Test
  void restoreBlocksBringsBackWhatWasThere() {
    assertThat(output(RestoreBlocks::run))
        .containsExactly(
            "archived up to 80",
            "brought back 19, archived up to 60",
            "brought back 58, archived up to 0",
            "every block is as it was: true");
  }

  @Test
  void queryAnArchiveNeedsNoNode() {
    assertThat(output(QueryAnArchive::run))
        .containsExactly(
            "chain chain1, heights 0 to 80",
            "segment of heights 0 to 80",
            "by height: pay Alice 42",
            "by hash: true",
            "by id: pay Alice 42",
            "its RWSet: 1 write",
            "checked 81 blocks, all well: true");
  }

  @Test
  void chooseSyncPeersFollowsTheRule() {
    assertThat(output((place, out) -> ChooseSyncPeers.run(out)))
        .containsExactly(
            "a node at height -1 can ask [keeps-everything, behind]",
            "a node at height 300 can ask [keeps-everything, behind]",
            "a node at height 500 can ask [keeps-everything, archived-a-little]",
            "a node at height 950 can ask [archived-a-little, archived-a-lot]");
  }

  @Test
  void serveOperatorsArchivesFromOutside() {
    assertThat(output(ServeOperators::run))
        .containsExactly(
            "the node is at height 99",
            "it archived up to 80",
            "archive of to=80,whole-segments=false: DONE");
  }

  @Test
  void keepALogHasWhatTheLevelLetsPass() {
    assertThat(output(KeepALog::run))
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("info|…|[JOBS]archive begins"),
            line -> assertThat(line).startsWith("info|…|[ARCHIVING]archived blocks 0 to 80 as "),
            line -> assertThat(line).isEqualTo("info|…|[JOBS]archive ends"));
  }

  @Test
  void keepYourOwnStorageFollowsTheLedger() {
    assertThat(output(KeepYourOwnStorage::run))
        .containsExactly(
            "1730 bytes of payload up to height 59",
            "followed with 40 blocks, some of the archive",
            "2890 bytes of payload up to height 99");
  }

  @Test
  void useYourOwnEngineKeepsTheLedgerOnIt() {
    assertThat(output(UseYourOwnEngine::run))
        .hasSize(2)
        .first()
        .asString()
        .contains("height 49 on", "BLOCK=journal", "STATE=journal", "HISTORY=journal");
  }

  @Test
  void theQuickstartOfTheReadmeRuns() {
    Quickstart.run(
        directory.resolve("data"), directory.resolve("archive"), MadeUpChain.blocks(200));
  }

  /** Runs an example twice, as it says that it can be, and returns what it says at first. */
  private List<String> output(BiConsumer<Path, PrintStream> example) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    example.accept(directory, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
