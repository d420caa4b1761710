package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rebuilds real ledgers with the real command line, whatever happened to them: the export before
 * and after is the same, and state and history are what the blocks say.
 */
@Timeout(600)
final class RebuildCommandTest {

  private static final String KEY = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final String[] SEALED = {"encryptor: sm4", "encrypt_key: \"" + KEY + "\""};
  private static final int BLOCKS = 120;
  private static final int PIVOT = 100;
  private static final String CHAIN = Place.lines(MarkedChain.blocks(BLOCKS));

  @TempDir private Path directory;

  private Place place(boolean encrypted, String... more) {
    List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
    lines.addAll(encrypted ? List.of(SEALED) : List.of());
    lines.addAll(List.of(more));
    return new Place(
        directory,
        directory.resolve("data"),
        directory.resolve("archive"),
        lines.toArray(String[]::new));
  }

  private Path data() {
    return directory.resolve("data");
  }

  private static void delete(Path path) throws IOException {
    MoreFiles.deleteRecursively(path, RecursiveDeleteOption.ALLOW_INSECURE);
  }

  private static void assertWhole(Place place) {
    new Aftermath(place, CHAIN).assertNothingIsLost();
    new Aftermath(place, CHAIN).assertPivotIs(PIVOT);
  }

  private static Run rebuilt(Place place) {
    Run run = place.runWithArchive("rebuild-dbs", "--yes");
    assertThat(run.exitCode()).as(run.out() + run.err()).isZero();
    return run;
  }

  // ------------------------------------------------------------------------------------ damage

  @ParameterizedTest
  @CsvSource({"false,state", "false,history", "true,state", "true,history"})
  void aDatabaseThatIsGoneComesBack(boolean encrypted, String database) throws IOException {
    Place place = place(encrypted).withChain(CHAIN).archivedTo(PIVOT);
    delete(data().resolve(database));
    assertThat(place.run("status").exitCode()).isEqualTo(ExitCode.INTEGRITY);
    delete(data().resolve(database)); // opening has made an empty one
    assertThat(rebuilt(place).out()).contains("replayed 120 blocks", "rm -r ");
    assertWhole(place);
  }

  /** Whatever file of LevelDB is cut or changed, the originals are not asked. */
  @ParameterizedTest
  @ValueSource(strings = {"state", "history"})
  void aDatabaseThatIsDamagedComesBack(String database) throws IOException {
    Place place = place(false, "leveldb:", "  write-buffer-bytes: 65536");
    place.withChain(CHAIN).archivedTo(PIVOT);
    List<Path> files = files(data().resolve(database));
    assertThat(files).hasSizeGreaterThan(3);
    for (Path file : files) {
      byte[] content = Files.readAllBytes(file);
      for (int at = 0; at < content.length; at += 1 + content.length / 9) {
        content[at] ^= 4;
      }
      Files.write(file, content);
    }
    assertThat(place.runWithArchive("verify", "--level", "ledger").exitCode()).isNotZero();
    rebuilt(place);
    assertWhole(place);
  }

  @ParameterizedTest
  @ValueSource(strings = {"state", "history"})
  void anOlderCopyOfADatabaseIsReplaced(String database) throws IOException {
    Place place = place(false).withChain(Place.lines(MarkedChain.blocks(110))).archivedTo(50);
    Map<Path, byte[]> older = read(data().resolve(database));
    assertThat(Run.reading(CHAIN, place.withData("import", "-")).exitCode()).isZero();
    place.archivedTo(PIVOT);
    delete(data().resolve(database));
    for (Map.Entry<Path, byte[]> file : older.entrySet()) {
      Files.createDirectories(file.getKey().getParent());
      Files.write(file.getKey(), file.getValue());
    }
    assertThat(place.run("status").exitCode()).isEqualTo(ExitCode.INTEGRITY);
    rebuilt(place);
    assertWhole(place);
  }

  private static List<Path> files(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static Map<Path, byte[]> read(Path root) throws IOException {
    Map<Path, byte[]> contents = new LinkedHashMap<>();
    for (Path file : files(root)) {
      contents.put(file, Files.readAllBytes(file));
    }
    return contents;
  }

  @Test
  void aDamagedBlockIsNamedAndNothingIsChanged() throws IOException {
    Place place = place(false).withChain(CHAIN);
    List<Path> tables =
        files(data().resolve("block/db")).stream()
            .filter(file -> file.toString().matches(".*\\.(sst|log)"))
            .toList();
    for (Path table : tables) {
      byte[] content = Files.readAllBytes(table);
      content[content.length / 2] ^= 4;
      Files.write(table, content);
    }
    Run run = place.run("rebuild-dbs", "--yes", "--json");
    assertThat(run.exitCode()).as(run.out()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(Files.readString(data().resolve("LAYOUT"))).contains("state leveldb state\n");
  }

  @Test
  void anEncryptedLedgerIsRebuiltEncryptedAndNotWithoutItsKey() throws IOException {
    Place place = place(true).withChain(CHAIN).archivedTo(PIVOT);
    delete(data().resolve("state"));
    rebuilt(place);
    assertThat(MarkedChain.filesWith(MarkedChain.markers(BLOCKS), data())).isEmpty();
    assertThat(place(false).run("rebuild-dbs", "--yes").exitCode()).isEqualTo(ExitCode.REFUSED);
    assertWhole(place(true));
  }

  // ------------------------------------------------------------------------------------ command

  @Test
  void theReportIsOneObjectForProgramsAndTellsWhatToRemove() throws IOException {
    Place place = place(false).withChain(CHAIN).archivedTo(PIVOT);
    Map<String, Object> plan = place.runWithArchive("rebuild-dbs", "--dry-run", "--json").json();
    assertThat(plan)
        .containsEntry("dryRun", true)
        .containsEntry("blocks", 120L)
        .containsEntry("archivedBlocks", 97L);
    assertThat((Long) plan.get("bytesNeeded")).isPositive();
    assertThat(data().resolve("REBUILDING")).doesNotExist();
    Map<String, Object> report =
        place.runWithArchive("rebuild-dbs", "--need-verify=false", "--yes", "--json").json();
    assertThat(report)
        .containsEntry("height", 119L)
        .containsEntry("blocks", 120L)
        .containsEntry("archivedBlocks", 97L)
        .containsEntry("indexEntries", 0L);
    assertThat(Path.of((String) report.get("backup")).getFileName().toString())
        .matches("backup-[0-9]{8}T[0-9]{6}Z-rebuild");
    for (Object path : (List<?>) report.get("originals")) {
      delete(Path.of((String) path));
    }
    assertWhole(place);
  }

  @Test
  void nothingIsDoneWithoutAYes() {
    Place place = place(false).withChain(CHAIN);
    Run unasked = place.run("rebuild-dbs");
    assertThat(unasked.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(unasked.err()).contains("would rebuild", "120 blocks", "--yes");
    Run declined = Run.answering("n\n", place.withData("rebuild-dbs"));
    assertThat(declined.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(Place.read(data().resolve("LAYOUT"))).contains("state leveldb state\n");
    assertThat(Run.answering("y\n", place.withData("rebuild-dbs")).exitCode()).isZero();
    assertThat(Place.read(data().resolve("LAYOUT"))).contains("state leveldb state.rebuilt-");
  }

  @Test
  void theChainHasToBeTheOneThatIsNamed() {
    Place place = place(false).withChain(CHAIN);
    Run other = place.run("rebuild-dbs", "--chain-id", "chain7", "--yes");
    assertThat(other.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(other.err()).contains("chain7");
    Run same = place.run("rebuild-dbs", "--chain-id", "chain1", "--need-verify", "--yes");
    assertThat(same.exitCode()).as(same.err()).isZero();
  }

  @Test
  void theConfiguredHeightIsAllUnlessItIsBelowTheNewest() {
    place(false).withChain(CHAIN);
    for (String all : List.of("0", "", "119", "4000")) {
      Run run = place(false, "rebuild_block_height: " + all).run("rebuild-dbs", "--dry-run");
      assertThat(run.exitCode()).as(all + run.err()).isZero();
      assertThat(run.out()).contains("would rebuild");
    }
    Place back = place(false, "rebuild_block_height: 10");
    assertThat(back.run("rebuild-dbs", "--dry-run").out()).contains("would roll back");
    assertThat(back.run("rebuild-dbs", "--height", 0, "--dry-run").out()).contains("would rebuild");
    Run negative = place(false, "rebuild_block_height: -1").run("rebuild-dbs", "--dry-run");
    assertThat(negative.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(back.run("rebuild-dbs", "--height", -1, "--dry-run").exitCode())
        .isEqualTo(ExitCode.USAGE);
  }

  @Test
  void withoutTheArchiveNothingIsBegun() throws IOException {
    Place place = place(false).withChain(CHAIN).archivedTo(PIVOT);
    Run without = place.run("rebuild-dbs", "--yes");
    assertThat(without.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(without.err()).contains("--archive DIR");
    assertThat(data().resolve("REBUILDING")).doesNotExist();
  }

  @Test
  void aLedgerInUseIsLocked() throws Exception {
    Place place = place(false).withChain(CHAIN);
    Path status = data().resolve("status.json");
    Files.delete(status);
    try (Child owner = Child.start(List.of(), place.withData("import", "-"))) {
      while (!Files.exists(status)) { // until the other process has it
        assertThat(owner.isAlive()).isTrue();
      }
      Run refused = place.run("rebuild-dbs", "--dry-run");
      assertThat(refused.exitCode()).isEqualTo(ExitCode.LOCKED);
      assertThat(refused.err()).contains("is in use by pid");
      owner.signal("KILL");
      owner.awaitExit();
    }
  }

  @Test
  void stoppedByASignalItGoesOnLater() {
    Place place = place(false).withChain(CHAIN).archivedTo(PIVOT);
    Run stopped = Run.interrupted(place.withBoth("rebuild-dbs", "--yes"));
    assertThat(stopped.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(stopped.err()).contains("the ledger is as it was");
    assertWhole(place);
    rebuilt(place);
    assertWhole(place);
  }
}
