package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.cli.JobGround.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** While one job runs, every other is refused, in whatever process. */
@Timeout(120)
final class SecondProcessTest {

  @TempDir private static Path templates;
  private static JobGround ground;

  @TempDir private Path directory;

  @BeforeAll
  static void makeGround() {
    ground = new JobGround(templates);
  }

  @ParameterizedTest
  @EnumSource
  void whoComesSecondIsToldOfTheFirst(Job first) throws Exception {
    Place place = ground.place(Kind.LEVELDB, directory);
    Place ledger = first.ledger(place, Kind.LEVELDB);
    try (Child holder = Child.of(AtAStep.holding(first.inTheMiddle(), first.command(ledger)))) {
      assertThat(holder.outLine()).isEqualTo(AtAStep.HELD);
      for (Job second : seconds(first)) {
        Run refused = Run.of(second.command(ledger));
        assertThat(refused.exitCode()).as(second + refused.err()).isEqualTo(ExitCode.LOCKED);
        assertThat(refused.err()).contains("is in use by pid " + holder.pid());
      }
    }
  }

  /** Where a ledger is made there is none yet that anything else could be done to. */
  private static List<Job> seconds(Job first) {
    return first.makesOne()
        ? List.of(first)
        : Stream.of(Job.values()).filter(second -> second != Job.SYNC).toList();
  }
}
