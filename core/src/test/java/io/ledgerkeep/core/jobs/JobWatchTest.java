package io.ledgerkeep.core.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class JobWatchTest {

  @Test
  void everyStepIsToldAndAPhaseBeginsAnew() {
    List<Progress> told = new ArrayList<>();
    JobWatch watch = new JobWatch(JobControl.none().onProgress(told::add), () -> false);
    watch.begin("write", 10);
    watch.advance(3, 500);
    watch.advance(7, 100);
    watch.begin("delete", 4);
    watch.advance(4, 0);
    assertThat(told)
        .extracting(Progress::phase, Progress::doneBlocks, Progress::totalBlocks, Progress::bytes)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("write", 0L, 10L, 0L),
            org.assertj.core.groups.Tuple.tuple("write", 3L, 10L, 500L),
            org.assertj.core.groups.Tuple.tuple("write", 10L, 10L, 600L),
            org.assertj.core.groups.Tuple.tuple("delete", 0L, 4L, 0L),
            org.assertj.core.groups.Tuple.tuple("delete", 4L, 4L, 0L));
    assertThat(told).allSatisfy(step -> assertThat(step.elapsed().isNegative()).isFalse());
  }

  @Test
  void aJobEndsWhenItsCallerOrTheLedgerWantsIt() {
    AtomicBoolean cancelled = new AtomicBoolean();
    AtomicBoolean closing = new AtomicBoolean();
    JobWatch watch = new JobWatch(JobControl.none().cancelledBy(cancelled::get), closing::get);
    assertThat(watch.isCancelled()).isFalse();
    cancelled.set(true);
    assertThat(watch.isCancelled()).isTrue();
    cancelled.set(false);
    closing.set(true);
    assertThat(watch.isCancelled()).isTrue();
  }

  /** A lower bound only: how much longer it takes is up to the machine. */
  @Test
  void aJobIsHeldBackToItsRate() {
    JobWatch watch = new JobWatch(JobControl.none().atMost(1 << 20), () -> false);
    watch.begin("write", 10);
    long begin = System.nanoTime();
    for (int i = 0; i < 4; i++) {
      watch.advance(1, 100 << 10);
    }
    Duration least = Duration.ofMillis(250);
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(least);
  }
}
