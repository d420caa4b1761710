package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.cli.JobGround.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The jobs of an operator where the disk is full, or fills up under them: they say so and where,
 * the ledger is what it was, and the same command succeeds when there is room.
 */
@Timeout(120)
final class FullDiskJobsTest {

  /** How a shell tells that Java gave itself up. */
  private static final int ABORTED = 134;

  @TempDir private static Path templates;
  private static JobGround ground;

  @TempDir private Path directory;

  @BeforeAll
  static void makeGround() {
    ground = new JobGround(templates);
  }

  static List<Arguments> jobs() {
    List<Arguments> jobs = new ArrayList<>();
    for (Job job : Job.values()) {
      jobs.add(Arguments.of(job, Kind.LEVELDB));
      if (Boolean.getBoolean("ledgerkeep.long") || job == Job.DOCTOR) {
        jobs.add(Arguments.of(job, Kind.BADGER_SEALED));
      }
    }
    return jobs;
  }

  @ParameterizedTest
  @MethodSource("jobs")
  void theSameCommandSucceedsWhenThereIsRoom(Job job, Kind kind) throws Exception {
    int mebibytes = kind == Kind.LEVELDB ? 48 : 600;
    try (OwnDisk disk = OwnDisk.inMemory(directory.resolve("disk"), mebibytes)) {
      Place place = ground.place(kind, disk.root());
      Object[] command = job.command(job.ledger(place, kind));

      disk.fill();
      Run full = Run.apart(command);
      assertThat(full.exitCode()).as(full.out() + full.err()).isEqualTo(ExitCode.FAILED);
      assertTellsFullDisk(full, disk);
      disk.makeRoom();

      try (Child child = Child.of(AtAStep.filling(disk, job.inTheMiddle(), command))) {
        Run filled = child.finish();
        assertThat(filled.exitCode())
            .as(filled.out() + filled.err())
            .isIn(ExitCode.FAILED, ABORTED);
        if (filled.exitCode() == ExitCode.FAILED) {
          assertTellsFullDisk(filled, disk);
        }
        if (job == Job.DOCTOR) { // found before anything was copied
          assertThat(filled.err()).containsPattern("the copy needs about [0-9]+ bytes");
        }
      }
      disk.makeRoom();
      job.assertUntouched(place);

      Run done = Run.of(command);
      assertThat(done.exitCode()).as(done.out() + done.err()).isZero();
      job.assertDone(place, kind);
    }
  }

  private static void assertTellsFullDisk(Run run, OwnDisk disk) throws IOException {
    assertThat(run.err())
        .contains("make room")
        .containsAnyOf(disk.root().toString(), "the disk of store "); // as the sidecar names it
    assertThat(Files.exists(disk.root().resolve("data/EXAMINING"))).isFalse();
  }
}
