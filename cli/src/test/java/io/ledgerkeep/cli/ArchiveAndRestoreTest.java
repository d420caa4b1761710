package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On 400 blocks, of which 150 and 300 are config blocks and the newest 10 are kept back. */
final class ArchiveAndRestoreTest {

  private static final int BLOCKS = 400;
  private static final int HIGHEST = 389;
  private static final String CHAIN = Place.chain(BLOCKS);

  @TempDir private Path directory;
  private Place place;

  @BeforeEach
  void makeLedger() {
    place = new Place(directory).withChain(BLOCKS);
  }

  // -------------------------------------------------------------------------------- archive

  @Test
  void bodiesMoveToTheArchiveAndTheReportSaysWhatWasDone() {
    Run run = place.runWithArchive("archive", "--to", HIGHEST, "--yes", "--json");
    assertThat(run.exitCode()).isZero();
    assertThat(run.json())
        .containsEntry("job", "archive")
        .containsEntry("archivedHeightBefore", 0L)
        .containsEntry("archivedHeightAfter", (long) HIGHEST)
        .containsEntry("blocks", HIGHEST - 2L);
    assertThat(status()).containsEntry("archivedHeight", (long) HIGHEST);
  }

  @Test
  void aDryRunTellsThePlanAndChangesNothing() {
    Run run = place.runWithArchive("archive", "--to", 200, "--dry-run", "--json");
    assertThat(run.exitCode()).isZero();
    assertThat(run.json())
        .containsEntry("dryRun", true)
        .containsEntry("archivedHeightAfter", 200L)
        .containsEntry("blocks", 199L);
    assertThat(place.archive).doesNotExist();
    assertThat(status()).containsEntry("archivedHeight", 0L);
  }

  /** In such a locale the JDK's own formats write other digits. */
  @Test
  void numbersAreWrittenTheSameInEveryLocale() {
    String here = plan();
    Run none = place.runWithArchive("archive", "--to", 0);
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG"));
    try {
      assertThat("%d".formatted(1)).as("the locale counts").isNotEqualTo("1");
      assertThat(plan()).isEqualTo(here);
      assertThat(place.runWithArchive("archive", "--to", 0)).isEqualTo(none);
      assertThat(Place.chain(BLOCKS)).isEqualTo(CHAIN);
    } finally {
      Locale.setDefault(before);
    }
  }

  /** Returns what a dry run says, but for the time it guesses, which is not always the same. */
  private String plan() {
    Run run = place.runWithArchive("archive", "--to", 200, "--dry-run");
    assertThat(run.exitCode()).isZero();
    return run.out().replaceAll("(time, about +)[0-9.]+ s", "$1");
  }

  @Test
  void withoutYesAndWithoutATerminalItIsRefused() {
    Run run = place.runWithArchive("archive", "--to", 200);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("199 blocks", "--yes");
    assertThat(status()).containsEntry("archivedHeight", 0L);
  }

  @Test
  void atATerminalThePlanIsShownAndTheAnswerDecides() {
    Run no = Run.answering("n\n", place.withBoth("archive", "--to", 200));
    assertThat(no.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(no.err()).contains("199 blocks", "[y/N]");
    assertThat(Run.answering("", place.withBoth("archive", "--to", 200)).exitCode())
        .isEqualTo(ExitCode.REFUSED);
    assertThat(status()).containsEntry("archivedHeight", 0L);

    Run yes = Run.answering("yes\n", place.withBoth("archive", "--to", 200));
    assertThat(yes.exitCode()).isZero();
    assertThat(status()).containsEntry("archivedHeight", 200L);
  }

  @Test
  void nothingLeftToArchiveIsDoneAndNeedsNoYes() {
    place.archivedTo(200);
    for (long to : new long[] {200, 100, 0}) {
      Run run = place.runWithArchive("archive", "--to", to);
      assertThat(run.exitCode()).as("to %d", to).isZero();
      assertThat(run.out()).contains("nothing to archive");
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {150, 300, 390, 399, 1_000_000})
  void aProtectedTargetIsRefused(long to) {
    Run run = place.runWithArchive("archive", "--to", to, "--yes", "--json");
    assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(run.json()).containsEntry("error", "refused");
    assertThat(status()).containsEntry("archivedHeight", 0L);
  }

  @Test
  void theRefusalOfAConfigBlockNamesTheNearestNormalHeights() {
    Run run = place.runWithArchive("archive", "--to", 150, "--yes");
    assertThat(run.err()).contains("149", "151");
  }

  @Test
  void archivingNeedsAnArchive() {
    assertThat(place.run("archive", "--to", 200, "--yes").exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void anInterruptedArchiveCanBeRunAgain() {
    Run run = Run.interrupted(place.withBoth("archive", "--to", HIGHEST, "--yes"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(run.err()).contains("run the same command again");
    place.archivedTo(HIGHEST);
    assertThat(place.runWithArchive("export", "-").out()).isEqualTo(CHAIN);
  }

  // -------------------------------------------------------------------------------- export

  @Test
  void exportReadsArchivedBlocksFromTheArchiveWhereOneIsGiven() {
    place.archivedTo(HIGHEST);
    assertThat(place.runWithArchive("export", "-").out()).isEqualTo(CHAIN);
  }

  @Test
  void withoutTheArchiveExportRefusesInTheSeedsWordsAndTouchesNothing() {
    place.archivedTo(HIGHEST);
    Path file = place.write("out", "old");
    Run run = place.run("export", file);
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err()).isEqualToIgnoringNewLines("archived block");
    assertThat(file).hasContent("old");
    assertThat(place.run("export", "-").out()).isEmpty();
  }

  /** A genesis block larger than any buffer is on the node, before the first archived block. */
  @Test
  void notEvenAPipeSeesTheBlocksBeforeTheFirstArchivedOne() throws Exception {
    List<Block> blocks = Place.blocks(40);
    Block first = blocks.get(0);
    blocks.set(
        0,
        new Block(
            0,
            first.kind(),
            first.hash(),
            first.previousHash(),
            Bytes.wrap(new byte[1 << 20]),
            List.of(),
            List.of(),
            first.additional()));
    Place other = new Place(Files.createDirectory(directory.resolve("other")));
    assertThat(other.run("init").exitCode()).isZero();
    Path chain = other.write("chain.jsonl", Place.lines(blocks));
    assertThat(other.run("import", chain).exitCode()).isZero();
    other.archivedTo(20);
    Run run = other.run("export", "-");
    assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void whatIsOnTheNodeNeedsNoArchive() {
    place.archivedTo(HIGHEST);
    assertThat(place.run("export", "-", "--from", 390).out().lines()).hasSize(10);
    assertThat(place.run("export", "-", "--from", 150, "--to", 150).out().lines()).hasSize(1);
    assertThat(place.run("export", "-", "--to", 0).out().lines()).hasSize(1);
  }

  @Test
  void theArchiveAloneExportsWhatItHolds() {
    place.archivedTo(200);
    assertThat(place.runOnArchive("export", "-").out())
        .isEqualTo(Place.lines(Place.blocks(BLOCKS).subList(0, 201)));
    assertThat(place.runOnArchive("export", "-", "--from", 150, "--to", 151).out().lines())
        .hasSize(2);
    assertThat(place.runOnArchive("export", "-", "--to", 201).exitCode()).isEqualTo(ExitCode.USAGE);
  }

  // -------------------------------------------------------------------------------- query

  @Test
  void whatIsArchivedIsRefusedInTheSeedsWords() {
    place.archivedTo(HIGHEST);
    Block block = sample();
    String id = block.transactions().get(0).id();
    for (Object[] query :
        new Object[][] {
          {"--height", block.height(), "archived block"},
          {"--hash", block.hash().hex(), "archived block"},
          {"--tx", id, "archived transaction"},
          {"--rwset", id, "archived RWSet"}
        }) {
      Run run = place.runWithArchive("query", query[0], query[1]);
      assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
      assertThat(run.err()).isEqualToIgnoringNewLines(query[2].toString());
      assertThat(run.out()).isEmpty();
    }
  }

  @Test
  void readThroughByOptionOrByConfigurationReadsTheArchive() {
    place.archivedTo(HIGHEST);
    Block block = sample();
    String id = block.transactions().get(0).id();
    String line = Place.lines(List.of(block));
    assertThat(place.runWithArchive("query", "--read-through", "--height", block.height()).out())
        .isEqualTo(line);
    Path config =
        place.write(
            "through.yml",
            "storage:\n  reserve_bytes: 0\n  read_through: true\n  archive_path: "
                + place.archive
                + "\n");
    Run run = Run.of("query", "--config", config, "--data", place.data, "--tx", id);
    assertThat(run.exitCode()).isZero();
    assertThat(line).contains(run.out().strip());
  }

  @Test
  void theArchiveAloneAnswersQueries() {
    place.archivedTo(HIGHEST);
    Block block = sample();
    String id = block.transactions().get(0).id();
    String line = Place.lines(List.of(block));
    assertThat(place.runOnArchive("query", "--height", block.height()).out()).isEqualTo(line);
    assertThat(place.runOnArchive("query", "--hash", block.hash().hex()).out()).isEqualTo(line);
    assertThat(line).contains(place.runOnArchive("query", "--tx", id).out().strip());
    assertThat(line).contains(place.runOnArchive("query", "--rwset", id).out().strip());
    assertThat(place.runOnArchive("query", "--tx", "none").exitCode()).isEqualTo(ExitCode.FAILED);
  }

  // -------------------------------------------------------------------------------- restore

  @Test
  void afterRestoreTheExportIsWhatItWas() {
    place.archivedTo(HIGHEST);
    Run run = place.runWithArchive("restore", "--down-to", 0, "--yes", "--json");
    assertThat(run.exitCode()).isZero();
    assertThat(run.json())
        .containsEntry("job", "restore")
        .containsEntry("archivedHeightAfter", 0L)
        .containsEntry("blocks", HIGHEST - 2L);
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  @Test
  void theHeightNamedIsBroughtBackItself() {
    place.archivedTo(HIGHEST);
    place.runWithArchive("restore", "--down-to", 151, "--yes");
    assertThat(status()).as("150 is a config block").containsEntry("archivedHeight", 149L);
    assertThat(place.run("query", "--height", 151).exitCode()).isZero();
    assertThat(place.run("query", "--height", 149).exitCode()).isEqualTo(ExitCode.FAILED);
  }

  @Test
  void restoreAsksAsArchiveDoes() {
    place.archivedTo(200);
    assertThat(place.runWithArchive("restore", "--down-to", 1).exitCode())
        .isEqualTo(ExitCode.USAGE);
    assertThat(place.runWithArchive("restore", "--down-to", 1, "--dry-run", "--json").json())
        .containsEntry("archivedHeightAfter", 0L);
    assertThat(Run.answering("\n", place.withBoth("restore", "--down-to", 1)).exitCode())
        .isEqualTo(ExitCode.REFUSED);
    assertThat(status()).containsEntry("archivedHeight", 200L);
    assertThat(Run.answering("y\n", place.withBoth("restore", "--down-to", 1)).exitCode()).isZero();
    assertThat(status()).containsEntry("archivedHeight", 0L);
  }

  @Test
  void nothingLeftToRestoreIsDoneWithOrWithoutAnArchive() {
    assertThat(place.run("restore", "--down-to", 5).exitCode()).isZero();
    assertThat(place.runWithArchive("restore", "--down-to", 5).exitCode()).isZero();
    assertThat(place.archive).doesNotExist();
    place.archivedTo(200);
    assertThat(place.runWithArchive("restore", "--down-to", 201).exitCode()).isZero();
  }

  @Test
  void anInterruptedRestoreCanBeRunAgain() {
    place.archivedTo(HIGHEST);
    Run run = Run.interrupted(place.withBoth("restore", "--down-to", 1, "--yes"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(place.runWithArchive("restore", "--down-to", 1, "--yes").exitCode()).isZero();
    assertThat(place.run("export", "-").out()).isEqualTo(CHAIN);
  }

  @Test
  void anArchiveThatIsNotTheOneLastWrittenIsRefused() {
    place.archivedTo(200);
    Object[] elsewhere = place.withData("--archive", directory.resolve("other"));
    Object[] restore =
        java.util.stream.Stream.concat(
                java.util.Arrays.stream(elsewhere),
                java.util.stream.Stream.of("restore", "--down-to", 1, "--yes"))
            .toArray();
    assertThat(Run.of(restore).exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(status()).containsEntry("archivedHeight", 200L);
  }

  // -------------------------------------------------------------------------------- verify

  @Test
  void anUndamagedLedgerAndArchiveAreWell() {
    assertThat(place.run("verify").exitCode()).isZero();
    place.archivedTo(HIGHEST);
    for (String level : new String[] {"structure", "bytes", "content", "ledger"}) {
      Run run = place.runWithArchive("verify", "--level", level, "--json");
      assertThat(run.exitCode()).as(level).isZero();
      assertThat(run.json()).containsEntry("ok", true).containsEntry("level", level);
    }
    Run alone = place.runOnArchive("verify", "--json");
    assertThat(alone.exitCode()).isZero();
    assertThat(alone.json()).containsEntry("level", "content").containsEntry("blocks", 390L);
  }

  @Test
  void archivedBlocksThatNobodyLookedAtAreNotCalledWell() {
    place.archivedTo(HIGHEST);
    for (String level : new String[] {"structure", "bytes", "content", "ledger"}) {
      Run alone = place.run("verify", "--level", level, "--json");
      assertThat(alone.exitCode()).as(level).isZero();
      assertThat(alone.json())
          .containsEntry("blocks", 13L)
          .containsEntry("uncheckedBlocks", 387L)
          .containsEntry("ok", true);
      assertThat(place.runWithArchive("verify", "--level", level, "--json").json())
          .containsEntry("blocks", 400L)
          .containsEntry("uncheckedBlocks", 0L);
    }
    assertThat(place.run("verify").out())
        .contains("checked 13 blocks", "not checked: 387 archived blocks", "--archive")
        .doesNotContain("all is well");
    assertThat(place.runWithArchive("verify").out())
        .contains("checked 400 blocks", "all is well")
        .doesNotContain("not checked");
  }

  /** What was asked for cannot be the remedy, nor what is wrong. */
  @Test
  void blocksThatADamagedArchiveDoesNotShowAreCountedWithoutAdvice() throws Exception {
    place.archivedTo(HIGHEST);
    try (Stream<Path> files = Files.walk(place.archive)) {
      for (Path segment : files.filter(file -> file.toString().endsWith(".lks")).toList()) {
        Files.delete(segment);
      }
    }
    Run run = place.runWithArchive("verify");
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(run.out())
        .contains("not checked: 387 archived blocks")
        .doesNotContain("--archive", "encrypted");
  }

  @Test
  void damageIsExitFourAndEachFindingALine() throws Exception {
    place.archivedTo(HIGHEST);
    damageASegment();
    Run alone = place.runOnArchive("verify");
    assertThat(alone.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(alone.out().lines().count()).isGreaterThan(1);
    Run both = place.runWithArchive("verify", "--json");
    assertThat(both.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(both.json()).containsEntry("ok", false).containsEntry("exitCode", 4L);
    assertThat((List<?>) both.json().get("findings")).isNotEmpty();
  }

  @Test
  void anInterruptedVerifyIsNotAllIsWell() {
    place.archivedTo(HIGHEST);
    Run run = Run.interrupted(place.withBoth("verify"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.INTERRUPTED);
  }

  private void damageASegment() throws Exception {
    try (var files = Files.walk(place.archive)) {
      Path segment =
          files
              .filter(Files::isRegularFile)
              .max(java.util.Comparator.comparingLong(file -> file.toFile().length()))
              .orElseThrow();
      byte[] bytes = Files.readAllBytes(segment);
      bytes[bytes.length / 2] ^= 1;
      Files.write(segment, bytes);
    }
  }

  // -------------------------------------------------------------------------------- places

  @Test
  void theStatusOfAnArchiveAloneListsWhatItHolds() {
    place.archivedTo(200);
    List<?> archives = (List<?>) place.runOnArchive("status", "--json").json().get("archives");
    assertThat(archives).hasSize(1);
    Map<?, ?> archive = (Map<?, ?>) archives.get(0);
    assertThat(archive.get("lastHeight")).isEqualTo(200L);
    assertThat(archive.get("chainId")).isEqualTo("chain1");
  }

  @Test
  void whereAnArchiveHoldsSeveralOneHasToBeChosen() throws Exception {
    place.archivedTo(200);
    Place second = new Place(Files.createDirectory(directory.resolve("second"))).withChain(BLOCKS);
    Object[] archive = second.withData("--archive", place.archive, "archive", "--to", 100, "--yes");
    assertThat(Run.of(archive).exitCode()).isZero();

    Run several = place.runOnArchive("query", "--height", 5);
    assertThat(several.exitCode()).isEqualTo(ExitCode.USAGE);
    List<?> archives = (List<?>) place.runOnArchive("status", "--json").json().get("archives");
    assertThat(archives).hasSize(2);
    for (Object each : archives) {
      String ledger = String.valueOf(((Map<?, ?>) each).get("ledger"));
      assertThat(several.err()).contains(ledger.substring(ledger.indexOf('/') + 1));
      assertThat(place.runOnArchive("query", "--ledger", ledger, "--height", 5).exitCode())
          .isZero();
    }
  }

  @Test
  void anArchiveThatIsNotThereIsWrongConfiguration() {
    for (String command : new String[] {"status", "verify"}) {
      Run run = place.runOnArchive(command);
      assertThat(run.exitCode()).as(command).isEqualTo(ExitCode.USAGE);
    }
    assertThat(place.archive).doesNotExist();
  }

  private static Block sample() {
    return Place.blocks(BLOCKS).stream()
        .filter(block -> !block.transactions().isEmpty())
        .findFirst()
        .orElseThrow();
  }

  private Map<String, Object> status() {
    return place.run("status", "--json").json();
  }
}
