package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rolls real ledgers back with the real command line. */
@Timeout(600)
final class RollBackCommandTest {

  private static final String KEY = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final int COUNT = 120;
  private static final int PIVOT = 100;
  private static final List<Block> BLOCKS = MarkedChain.blocks(COUNT);
  private static final String CHAIN = Place.lines(BLOCKS);

  @TempDir private Path directory;

  private Place place(boolean encrypted, String... more) {
    List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
    if (encrypted) {
      lines.addAll(List.of("encryptor: sm4", "encrypt_key: \"" + KEY + "\""));
    }
    lines.addAll(List.of(more));
    return new Place(
        directory,
        directory.resolve("data"),
        directory.resolve("archive"),
        lines.toArray(String[]::new));
  }

  private static String upTo(int height) {
    return Place.lines(BLOCKS.subList(0, height + 1));
  }

  private static void assertIsAt(Place place, int height) {
    new Aftermath(place, upTo(height)).assertNothingIsLost();
    Map<String, Object> status = place.run("status", "--json").json();
    assertThat(status).containsEntry("height", (long) height);
    assertThat(place.data.resolve("ROLLINGBACK")).doesNotExist();
  }

  private static Run rollBack(Place place, Object height) {
    Run run = place.runWithArchive("rebuild-dbs", "--height", height, "--yes");
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    return run;
  }

  private List<Path> backups() throws IOException {
    try (Stream<Path> names = Files.list(directory.resolve("data"))) {
      return names.filter(name -> name.toString().endsWith("-rollback")).sorted().toList();
    }
  }

  // ------------------------------------------------------------------------------------ equal

  @ParameterizedTest
  @CsvSource({"false,118", "true,103", "false,60", "true,1"})
  void theExportIsThatOfALedgerThatNeverWasHigher(boolean encrypted, int height)
      throws IOException {
    Place place = place(encrypted).withChain(CHAIN).archivedTo(40).archivedTo(PIVOT);
    assertThat(rollBack(place, height).out())
        .contains("rolled back from height 119 to " + height, "export - |", "rm -r ");
    assertIsAt(place, height);
    if (encrypted) {
      assertThat(MarkedChain.filesWith(MarkedChain.markers(COUNT), directory.resolve("data")))
          .isEmpty();
    }
    // What was taken away is committed again, as the command says.
    Run export =
        Run.of("--config", place.config, "--archive", backups().get(0).toString(), "export", "-");
    assertThat(export.exitCode()).as(export.err()).isZero();
    assertThat(export.out()).isEqualTo(Place.lines(BLOCKS.subList(height + 1, COUNT)));
    assertThat(Run.reading(export.out(), place.withData("import", "-")).exitCode()).isZero();
    place.archivedTo(PIVOT);
    assertIsAt(place, COUNT - 1);
    new Aftermath(place, CHAIN).assertPivotIs(PIVOT);
  }

  @Test
  void theBackupIsAnArchiveThatIsQueriedAndVerified() throws IOException {
    Place place = place(true).withChain(CHAIN).archivedTo(PIVOT);
    rollBack(place, 60);
    Object[] backup = {"--config", place.config, "--archive", backups().get(0).toString()};
    Run verify = Run.of(with(backup, "verify"));
    assertThat(verify.exitCode()).as(verify.out()).isZero();
    assertThat(verify.out()).contains("checked 59 blocks");
    assertThat(Run.of(with(backup, "query", "--height", 61)).out())
        .isEqualTo(Place.lines(BLOCKS.subList(61, 62)));
    assertThat(Run.of(with(backup, "query", "--height", 60)).exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(Run.of(with(backup, "status", "--json")).out()).contains("\"firstHeight\":61");
    Run status = place.runOnArchive("--config", place.config, "status", "--json");
    assertThat(status.out()).as(status.err()).contains("\"lastHeight\":60");
  }

  private static Object[] with(Object[] one, Object... other) {
    return Stream.concat(Stream.of(one), Stream.of(other)).toArray();
  }

  // ------------------------------------------------------------------------------------ command

  @Test
  void theReportIsOneObjectForPrograms() {
    Place place = place(false, "rebuild_block_height: 60").withChain(CHAIN).archivedTo(PIVOT);
    Map<String, Object> plan = place.runWithArchive("rebuild-dbs", "--dry-run", "--json").json();
    assertThat(plan)
        .containsEntry("dryRun", true)
        .containsEntry("height", 60L)
        .containsEntry("heightBefore", 119L)
        .containsEntry("removedBlocks", 59L);
    assertThat((Long) plan.get("bytesNeeded")).isPositive();
    Map<String, Object> report = place.runWithArchive("rebuild-dbs", "--yes", "--json").json();
    assertThat(report)
        .containsEntry("height", 60L)
        .containsEntry("removedBlocks", 59L)
        .containsEntry("archivedHeightBefore", (long) PIVOT)
        .containsEntry("archivedHeight", plan.get("archivedHeight"))
        .containsEntry("restoredBlocks", plan.get("restoredBlocks"));
    assertThat(Path.of((String) report.get("backup")).getFileName().toString())
        .matches("backup-[0-9]{8}T[0-9]{6}Z-rollback");
    assertIsAt(place(false), 60);
  }

  @Test
  void nothingIsDoneWithoutAYes() throws IOException {
    Place place = place(false).withChain(CHAIN);
    Run unasked = place.run("rebuild-dbs", "--height", 60);
    assertThat(unasked.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(unasked.err()).contains("would roll back from height 119 to 60", "--yes");
    Run declined = Run.answering("n\n", place.withData("rebuild-dbs", "--height", 60));
    assertThat(declined.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(backups()).isEmpty();
    assertIsAt(place, COUNT - 1);
    assertThat(Run.answering("y\n", place.withData("rebuild-dbs", "--height", 60)).exitCode())
        .isZero();
    assertIsAt(place, 60);
  }

  @Test
  void withoutTheArchiveNothingIsBegun() throws IOException {
    Place place = place(false).withChain(CHAIN).archivedTo(PIVOT);
    Run without = place.run("rebuild-dbs", "--height", 110, "--yes");
    assertThat(without.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(without.err()).contains("--archive DIR");
    assertThat(backups()).isEmpty();
  }

  @Test
  void stoppedByASignalNothingIsChanged() throws IOException {
    Place place = place(false).withChain(CHAIN).archivedTo(PIVOT);
    Run stopped = Run.interrupted(place.withBoth("rebuild-dbs", "--height", 60, "--yes"));
    assertThat(stopped.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(stopped.err()).contains("the ledger is as it was");
    assertThat(backups()).isEmpty();
    assertIsAt(place, COUNT - 1);
    new Aftermath(place, CHAIN).assertPivotIs(PIVOT);
  }
}
