package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import io.ledgerkeep.Block;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The main job on Badger, alone and mixed with LevelDB, with processes killed in the middle. */
@Timeout(600)
final class BadgerLedgerTest {

  private static final int MEBIBYTE = 1 << 20;
  private static final int BLOCKS = 120;
  private static final int PIVOT = 100;
  private static final String CHAIN = Place.lines(MarkedChain.blocks(BLOCKS));
  private static final String[] SEALED = {
    "encryptor: sm4", "encrypt_key: \"hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0\""
  };

  private static final List<String> SIDECARS =
      Stream.of("linux-x86_64", "linux-aarch64", "darwin-x86_64", "darwin-aarch64")
          .map(platform -> "/META-INF/ledgerkeep-badger/" + platform + "/ledgerkeep-badger")
          .toList();

  @TempDir private Path directory;

  @BeforeAll
  static void requireSidecar() {
    OwnDisk.requireOrSkip(hasSidecar(), "no Badger sidecar was built, which takes Go");
  }

  /** Returns the sidecar that was built for this machine. */
  static InputStream sidecar() {
    return SIDECARS.stream()
        .map(BadgerLedgerTest.class::getResourceAsStream)
        .filter(Objects::nonNull)
        .findFirst()
        .orElseThrow();
  }

  /** Whether a sidecar was built for this machine. */
  static boolean hasSidecar() {
    return SIDECARS.stream().anyMatch(name -> BadgerLedgerTest.class.getResource(name) != null);
  }

  static Stream<List<String>> mixtures() {
    return Stream.of(
        List.of("provider: badgerdb"),
        List.of("provider: badgerdb", "historydb_config:", "  provider: leveldb"),
        List.of(
            "statedb_config:",
            "  provider: badgerdb",
            "badgerdb:",
            "  memtable-bytes: 16777216",
            "leveldb:",
            "  write-buffer-bytes: 1048576"));
  }

  @ParameterizedTest
  @MethodSource("mixtures")
  void whatIsArchivedAndRestoredIsTheSame(List<String> storage) throws IOException {
    Place place = place(storage).withChain(CHAIN);
    aftermath(place).assertNothingIsLost();
    Block block = MarkedChain.blocks(BLOCKS).get(50);
    String line = Place.lines(List.of(block));

    place.archivedTo(PIVOT);

    aftermath(place).assertPivotIs(PIVOT);
    aftermath(place).assertNothingIsLost();
    assertThat(place.runWithArchive("query", "--read-through", "--height", 50).out())
        .isEqualTo(line);
    assertThat(place.run("query", "--height", 50).err())
        .isEqualToIgnoringNewLines("archived block");
    assertThat(place.runOnArchive("query", "--hash", block.hash().hex()).out()).isEqualTo(line);
    assertThat(place.runWithArchive("restore", "--down-to", 50, "--yes").exitCode()).isZero();
    assertThat(place.run("query", "--height", 50).out()).isEqualTo(line);
    aftermath(place).assertEqualAfterRestore();
  }

  @Test
  void whatIsRolledBackIsAsIfItHadNeverBeenHigher() {
    List<Block> blocks = MarkedChain.blocks(BLOCKS);
    Place place = place(List.of("provider: badgerdb")).withChain(CHAIN).archivedTo(PIVOT);
    Run run = place.runWithArchive("rebuild-dbs", "--height", 60, "--yes");
    assertThat(run.exitCode()).as(run.err()).isZero();
    new Aftermath(place, Place.lines(blocks.subList(0, 61))).assertNothingIsLost();
    Run again = Run.reading(Place.lines(blocks.subList(61, BLOCKS)), place.withData("import", "-"));
    assertThat(again.exitCode()).as(again.err()).isZero();
    place.archivedTo(PIVOT);
    aftermath(place).assertNothingIsLost();
    aftermath(place).assertPivotIs(PIVOT);
  }

  @Test
  void theOptionOfInitChoosesItAndLaterCommandsFindIt() {
    Place place = place(List.of());
    assertThat(place.run("init", "--provider", "badgerdb").exitCode()).isZero();
    assertThat(Run.reading(CHAIN, place.withData("import", "-")).exitCode()).isZero();
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
    assertThat(Place.read(place.data.resolve("LAYOUT"))).contains("badgerdb");
    assertThat(place.data.resolve("block").resolve("db").resolve("MANIFEST")).exists();
    Run other = place(List.of("provider: leveldb")).run("status");
    assertThat(other.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(other.err()).contains("badgerdb", "leveldb");
  }

  @Test
  void optionsOfAnEngineThatIsNotUsedAreRefused() {
    Run run = place(List.of("badgerdb:", "  memtable-bytes: 16777216")).run("init");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("badgerdb", "no effect");
  }

  @ParameterizedTest
  @MethodSource("mixtures")
  void anEncryptedLedgerHoldsSealedValuesOnly(List<String> storage) throws IOException {
    place(storage).withChain(CHAIN).archivedTo(PIVOT);
    List<String> lines = new ArrayList<>(storage);
    lines.addAll(List.of(SEALED));
    Place sealed = place(lines);

    Run encryption = sealed.runWithArchive("tde", "encrypt", "--yes", "--json");

    assertThat(encryption.exitCode()).as(encryption.err()).isZero();
    for (Object original : (List<?>) encryption.json().get("originals")) {
      MoreFiles.deleteRecursively(Path.of((String) original), RecursiveDeleteOption.ALLOW_INSECURE);
    }
    assertThat(MarkedChain.filesWith(MarkedChain.markers(BLOCKS), sealed.data)).isEmpty();
    aftermath(sealed).assertNothingIsLost();
    aftermath(sealed).assertPivotIs(PIVOT);
    assertThat(sealed.runWithArchive("restore", "--down-to", 0, "--yes").exitCode()).isZero();
    assertThat(sealed.run("export", "-").out()).isEqualTo(CHAIN);
    assertThat(MarkedChain.filesWith(MarkedChain.markers(BLOCKS), sealed.data)).isEmpty();
  }

  static Stream<String> stepsOfArchive() {
    return Steps.of(
        List.of("archive.listed", "archive.committed"),
        List.of("archive.begun", "archive.published", "archive.deleted", "archive.compacted"));
  }

  @ParameterizedTest
  @MethodSource("stepsOfArchive")
  void anArchiveRunKilledAtAStepIsRunAgain(String step) throws Exception {
    Place place = place(List.of("provider: badgerdb")).withChain(CHAIN);
    assertThat(KillTest.killedAt(step, place.withBoth("archive", "--to", PIVOT, "--yes")))
        .isEqualTo(KillTest.KILLED);
    aftermath(place).assertNothingIsLost();
    place.archivedTo(PIVOT);
    aftermath(place).assertPivotIs(PIVOT);
    aftermath(place).assertEqualAfterRestore();
  }

  static Stream<String> stepsOfRestore() {
    return Steps.of(
        List.of("restore.lowered"), List.of("restore.read", "restore.written", "restore.done"));
  }

  @ParameterizedTest
  @MethodSource("stepsOfRestore")
  void aRestoreKilledAtAStepIsRunAgain(String step) throws Exception {
    Place place = place(List.of("provider: badgerdb")).withChain(CHAIN).archivedTo(PIVOT);
    assertThat(KillTest.killedAt(step, place.withBoth("restore", "--down-to", 20, "--yes")))
        .isEqualTo(KillTest.KILLED);
    aftermath(place).assertNothingIsLost();
    aftermath(place).assertEqualAfterRestore();
  }

  @Test
  void aCommandGoesOnWhenItsSidecarIsKilled() throws Exception {
    Path file = LargeBlocks.write(directory.resolve("chain.jsonl"), largeBlocks(300));
    Place place = place(List.of("provider: badgerdb"));
    assertThat(place.run("init").exitCode()).isZero();
    killSidecars(place, 3, place.withData("import", file));
    killSidecars(place, 2, place.withBoth("archive", "--to", 250, "--yes"));
    killSidecars(place, 2, place.withBoth("restore", "--down-to", 0, "--yes"));

    Path exported = directory.resolve("exported.jsonl");
    assertThat(place.run("export", exported).exitCode()).isZero();
    assertThat(Files.mismatch(file, exported)).isEqualTo(-1);
    assertThat(place.runWithArchive("verify", "--level", "ledger").exitCode()).isZero();
  }

  /** Runs the command and kills its sidecar so many times, the first time when it has a store. */
  private static void killSidecars(Place place, int kills, Object[] command) throws Exception {
    try (Child child = Child.start(List.of("-XX:TieredStopAtLevel=1"), command)) {
      ProcessHandle process = ProcessHandle.of(child.pid()).orElseThrow();
      Path owner = place.data.resolve("history").resolve("db").resolve("OWNER");
      int killed = 0;
      while (killed < kills && process.isAlive()) {
        if (killed > 0 || isOwner(child, owner)) {
          killed += (int) process.children().filter(BadgerLedgerTest::kill).count();
        }
        Thread.onSpinWait();
      }
      Run run = child.finish();
      assertThat(run.exitCode()).as(run.err()).isZero();
      assertThat(killed).as("the sidecar was met").isPositive();
    }
  }

  private static boolean isOwner(Child child, Path owner) throws IOException {
    return Files.exists(owner) && Files.readString(owner).contains(Long.toString(child.pid()));
  }

  private static boolean kill(ProcessHandle sidecar) {
    boolean killed = sidecar.destroyForcibly();
    sidecar.onExit().join();
    return killed;
  }

  @Test
  void theSpaceOfArchivedBlocksComesBack() throws Exception {
    Path file = LargeBlocks.write(directory.resolve("chain.jsonl"), largeBlocks(400));
    Place place = place(List.of("provider: badgerdb", "badgerdb:", "  memtable-bytes: 8388608"));
    assertThat(place.run("init").exitCode()).isZero();
    assertThat(place.run("import", file).exitCode()).isZero();
    long before = blockBytes(place);

    place.archivedTo(380);

    assertThat(blockBytes(place)).isLessThan(before / 2);
    assertThat(place.runWithArchive("verify", "--level", "ledger").exitCode()).isZero();
  }

  /** Returns the room that the block database takes on disk. */
  private static long blockBytes(Place place) {
    Object bytes = place.run("status", "--json").json().get("bytesOnDisk");
    return (Long) ((Map<?, ?>) bytes).get("block");
  }

  @Test
  void aBlockOf64MebibytesCommits() throws IOException {
    Path file =
        LargeBlocks.write(directory.resolve("chain.jsonl"), LargeBlocks.chain(2, 64 * MEBIBYTE));
    Place place = place(List.of("provider: badgerdb"));
    assertThat(place.run("init").exitCode()).isZero();
    Run run = place.run("import", file);
    assertThat(run.exitCode()).as(run.err()).isZero();

    Path exported = directory.resolve("exported.jsonl");
    assertThat(place.run("export", exported).exitCode()).isZero();
    assertThat(Files.mismatch(file, exported)).isEqualTo(-1);
  }

  @Test
  void anImportUntilTheDiskIsFullKeepsWhatItCommittedAndGoesOnWhenThereIsRoom() throws Exception {
    Path file = LargeBlocks.write(directory.resolve("chain.jsonl"), largeBlocks(1500));
    try (OwnDisk disk = OwnDisk.inMemory(directory.resolve("disk"), 200)) {
      Place place =
          new Place(
                  directory,
                  disk.root().resolve("data"),
                  directory.resolve("archive"),
                  "reserve_bytes: 8388608",
                  "provider: badgerdb",
                  "badgerdb:",
                  "  memtable-bytes: 8388608",
                  "  min-free-bytes: 4194304")
              .apart();
      assertThat(place.run("init").exitCode()).isZero();
      Run full = place.run("import", file);
      assertThat(full.exitCode()).as(full.err()).isEqualTo(ExitCode.FAILED);
      assertThat(full.err()).contains("make room");
      long height = (long) place.run("status", "--json").json().get("height");
      assertThat(height).isGreaterThan(20);

      long target = height % 40 == 10 ? height - 11 : height - 10; // no config block
      Run archive = place.runWithArchive("archive", "--to", target, "--yes");
      assertThat(archive.exitCode()).as(archive.err()).isZero();
      place.run("import", file);
      assertThat((long) place.run("status", "--json").json().get("height")).isGreaterThan(height);

      disk.resize(2000);
      assertThat(place.run("import", file).exitCode()).isZero();
      Path exported = directory.resolve("exported.jsonl");
      assertThat(place.runWithArchive("export", exported).exitCode()).isZero();
      assertThat(Files.mismatch(file, exported)).isEqualTo(-1);
    }
  }

  private static List<Block> largeBlocks(int count) {
    return LargeBlocks.chain(count, 64 << 10);
  }

  private Place place(List<String> storage) {
    List<String> lines = new ArrayList<>(List.of("reserve_bytes: 0"));
    lines.addAll(storage);
    return new Place(
        directory,
        directory.resolve("data"),
        directory.resolve("archive"),
        lines.toArray(String[]::new));
  }

  private static Aftermath aftermath(Place place) {
    return new Aftermath(place, CHAIN);
  }
}
