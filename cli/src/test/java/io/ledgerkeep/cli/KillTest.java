package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Kills the real command line at every step of archive and restore, in a process of its own, and
 * looks at what is left: the ledger opens, no height is lost, the same command run again ends as if
 * nothing had happened.
 */
@Timeout(600)
final class KillTest {

  static final int KILLED = 137;
  private static final int BLOCKS = 300;
  private static final int TARGET = 250;
  private static final int LOWEST = 20;
  private static final String CHAIN = Place.chain(BLOCKS);

  @TempDir private Path directory;

  static Stream<String> stepsOfArchive() {
    return Stream.of(
        "archive.begun",
        "archive.writing",
        "archive.sealed",
        "store.written:1",
        "store.linked:1",
        "store.written:2",
        "store.synced:2",
        "store.linked:2",
        "store.written:3",
        "store.linked:3",
        "archive.published",
        "archive.verified",
        "archive.listed",
        "archive.committed",
        "archive.deleted",
        "archive.compacted");
  }

  static Stream<String> stepsOfRestore() {
    return Stream.of("restore.read", "restore.written", "restore.lowered", "restore.done");
  }

  @ParameterizedTest
  @MethodSource("stepsOfArchive")
  void anArchiveRunKilledAtAStepIsRunAgain(String step) throws Exception {
    Place place = new Place(directory).withChain(BLOCKS);
    assertThat(killedAt(step, place.withBoth("archive", "--to", TARGET, "--yes")))
        .isEqualTo(KILLED);
    aftermath(place).assertNothingIsLost();
    assertThat(place.runWithArchive("archive", "--to", TARGET, "--yes").exitCode()).isZero();
    aftermath(place).assertNothingIsLost();
    aftermath(place).assertPivotIs(TARGET);
    aftermath(place).assertEqualAfterRestore();
  }

  @ParameterizedTest
  @ValueSource(strings = {"archive.published", "archive.listed", "archive.committed"})
  void aRestoreIsNotRefusedBecauseOfWhatAKilledArchiveRunLeft(String step) throws Exception {
    Place place = new Place(directory).withChain(BLOCKS).archivedTo(100);
    assertThat(killedAt(step, place.withBoth("archive", "--to", TARGET, "--yes")))
        .isEqualTo(KILLED);
    aftermath(place).assertEqualAfterRestore();
  }

  @ParameterizedTest
  @MethodSource("stepsOfRestore")
  void aRestoreKilledAtAStepIsRunAgain(String step) throws Exception {
    Place place = new Place(directory).withChain(BLOCKS).archivedTo(TARGET);
    assertThat(killedAt(step, place.withBoth("restore", "--down-to", LOWEST, "--yes")))
        .isEqualTo(KILLED);
    aftermath(place).assertNothingIsLost();
    assertThat(place.runWithArchive("restore", "--down-to", LOWEST, "--yes").exitCode()).isZero();
    aftermath(place).assertPivotIs(LOWEST - 1);
    aftermath(place).assertNothingIsLost();
    aftermath(place).assertEqualAfterRestore();
  }

  @Test
  void aFewKillsAtRandomInstantsLoseNothing() throws Exception {
    killAtRandom(4, System.nanoTime());
  }

  @Test
  @Tag("long")
  @Timeout(3600)
  void manyKillsAtRandomInstantsLoseNothing() throws Exception {
    killAtRandom(200, System.nanoTime());
  }

  private void killAtRandom(int rounds, long seed) throws Exception {
    System.out.println("random kills by seed " + seed);
    Random random = new Random(seed);
    Place place = new Place(directory).withChain(BLOCKS);
    for (int round = 0; round < rounds; round++) {
      Object[] command =
          random.nextBoolean()
              ? place.withBoth("archive", "--to", TARGET, "--yes", "--max-rate", 1)
              : place.withBoth("restore", "--down-to", LOWEST, "--yes", "--max-rate", 1);
      try (Child child = Child.start(List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1"), command)) {
        // A random instant is what is tested here; nothing is awaited.
        Thread.sleep(200 + random.nextInt(900));
        child.signal("KILL");
        child.awaitExit();
      } catch (AssertionError alreadyDone) {
        // the command was faster than the kill
      }
      aftermath(place).assertNothingIsLost();
    }
    aftermath(place).assertEqualAfterRestore();
  }

  static int killedAt(String step, Object[] command) throws IOException, InterruptedException {
    try (Child child =
        Child.start(
            List.of("-Dledgerkeep.failpoint=" + step, "-XX:TieredStopAtLevel=1"), command)) {
      child.out();
      return child.awaitExit();
    }
  }

  private static Aftermath aftermath(Place place) {
    return new Aftermath(place, CHAIN);
  }
}
