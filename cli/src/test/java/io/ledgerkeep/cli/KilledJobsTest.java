package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.cli.JobGround.Kind;
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
 * Kills the jobs of an operator at their steps, on real ledgers of every kind: the same command
 * ends what was begun, and nothing of an encrypted ledger is ever in plain, not even in the middle.
 */
@Timeout(120)
final class KilledJobsTest {

  @TempDir private static Path templates;
  private static JobGround ground;

  @TempDir private Path directory;

  @BeforeAll
  static void makeGround() {
    ground = new JobGround(templates);
  }

  /**
   * Each job on three kinds of ledgers, at a step each; with the long tests on all at every step.
   */
  static List<Arguments> kills() {
    List<Arguments> kills = new ArrayList<>();
    for (Job job : Job.values()) {
      if (Boolean.getBoolean("ledgerkeep.long")) {
        for (Kind kind : Kind.values()) {
          job.allSteps().forEach(step -> kills.add(Arguments.of(job, kind, step)));
        }
      } else {
        Kind badger = job.ordinal() % 2 == 0 ? Kind.BADGER_SEALED : Kind.BADGER;
        List<Kind> kinds = List.of(badger, Kind.LEVELDB_SEALED, Kind.LEVELDB);
        for (int i = 0; i < kinds.size(); i++) {
          kills.add(Arguments.of(job, kinds.get(i), job.steps().get(i)));
        }
      }
    }
    return kills;
  }

  @ParameterizedTest
  @MethodSource("kills")
  void theSameCommandEndsIt(Job job, Kind kind, String step) throws Exception {
    Place place = ground.place(kind, directory);
    boolean hasOriginals = kind.sealed && job != Job.DOCTOR;
    if (!hasOriginals) {
      job.damage(place);
    }
    Object[] command = job.command(job.ledger(place, kind));

    assertThat(KillTest.killedAt(step, command)).isEqualTo(KillTest.KILLED);

    if (kind.sealed) {
      JobGround.assertNothingInPlain(directory);
    } else {
      assertThat(MarkedChain.filesWith(MarkedChain.markers(JobGround.BLOCKS), place.data))
          .as("what is searched for is found")
          .isNotEmpty();
    }
    if (hasOriginals && (job == Job.REBUILD || job == Job.BACKUP)) {
      job.assertUntouched(place);
    }
    Run again = Run.of(command);
    assertThat(again.exitCode()).as(again.out() + again.err()).isZero();
    if (kind.sealed) {
      JobGround.assertNothingInPlain(directory);
    }
    job.assertDone(place, kind);
  }
}
