package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The real command line whose n-th sync fails, for want of room too, or is its last, for every n:
 * its exit code tells the truth, nothing is lost, and the command run again ends as if nothing had
 * happened.
 */
@Tag("long")
@Timeout(3600)
final class SyscallFaultTest {

  private static final int BLOCKS = 120;
  private static final int TARGET = 100;
  private static final int LOWEST = 20;
  private static final String CHAIN = Place.chain(BLOCKS);
  private static final String SYNCS = "fsync,fdatasync,msync,sync_file_range";

  @TempDir private Path directory;

  @BeforeAll
  static void requireStrace() throws Exception {
    OwnDisk.requireOrSkip(OwnDisk.succeeds(List.of("strace", "-V")), "strace is missing");
  }

  @ParameterizedTest
  @ValueSource(strings = {"error=EIO", "error=ENOSPC", "signal=KILL"})
  void anArchiveRunBearsAFaultAtAnySync(String fault) throws Exception {
    int syncs = 0;
    for (boolean reached = true; reached; syncs++) {
      Place place = new Place(fresh("archive", syncs)).withChain(BLOCKS);
      Object[] archive = place.withBoth("archive", "--to", TARGET, "--yes");
      reached = isReached(place, fault, syncs + 1, archive, TARGET);
      assertThat(Run.of(archive).exitCode()).isZero();
      assertWellAt(place, TARGET);
    }
    assertThat(syncs).isGreaterThan(5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"error=EIO", "error=ENOSPC", "signal=KILL"})
  void aRestoreBearsAFaultAtAnySync(String fault) throws Exception {
    int syncs = 0;
    for (boolean reached = true; reached; syncs++) {
      Place place = new Place(fresh("restore", syncs)).withChain(BLOCKS).archivedTo(TARGET);
      Object[] restore = place.withBoth("restore", "--down-to", LOWEST, "--yes");
      reached = isReached(place, fault, syncs + 1, restore, LOWEST - 1);
      assertThat(Run.of(restore).exitCode()).isZero();
      assertWellAt(place, LOWEST - 1);
    }
    assertThat(syncs).isGreaterThan(2);
  }

  private Path fresh(String job, int syncs) throws Exception {
    return Files.createDirectory(directory.resolve(job + "-" + syncs));
  }

  /** Returns whether the n-th sync came in the run; if it says that it did its job, it did. */
  private static boolean isReached(Place place, String fault, int n, Object[] args, long pivot)
      throws Exception {
    Path trace = place.directory.resolve("trace");
    List<String> command = new ArrayList<>(List.of("strace", "-f", "-qq", "-o", trace.toString()));
    command.addAll(List.of("-e", "trace=" + SYNCS));
    command.addAll(List.of("-e", "inject=" + SYNCS + ":" + fault + ":when=" + n));
    command.addAll(Child.java(Child.SHORT_LIVED, Main.class, args));
    try (Child child = Child.of(command)) {
      Run run = child.finish();
      assertThat(run.exitCode()).as(run.err()).isIn(ExitCode.DONE, ExitCode.FAILED, 137);
      new Aftermath(place, CHAIN).assertNothingIsLost();
      if (run.exitCode() == ExitCode.DONE) {
        new Aftermath(place, CHAIN).assertPivotIs(pivot);
      }
    }
    String traced = Files.readString(trace);
    return traced.contains("(INJECTED)") || traced.contains("+++ killed");
  }

  private static void assertWellAt(Place place, long pivot) throws Exception {
    Aftermath aftermath = new Aftermath(place, CHAIN);
    aftermath.assertPivotIs(pivot);
    aftermath.assertNothingIsLost();
    aftermath.assertEqualAfterRestore();
  }
}
