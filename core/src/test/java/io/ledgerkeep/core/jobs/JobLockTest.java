package io.ledgerkeep.core.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class JobLockTest {

  private final JobLock lock = new JobLock();

  private void assertRefused(String... words) {
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> lock.take("restore"))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.JOB_RUNNING))
        .withMessageContainingAll(words);
  }

  @Test
  void aSecondJobIsRefusedWithNamePidAndStartOfTheFirst() {
    try (JobLock.Lease lease = lock.take("archive")) {
      assertThat(lease).isNotNull();
      assertThat(lock.runningJob()).isEqualTo("archive");
      assertRefused("'archive'", "since 20", "process " + ProcessHandle.current().pid());
    }
    assertThat(lock.runningJob()).isEmpty();
    lock.take("restore").close();
  }

  @Test
  void aLeaseThatEndsTwiceLetsOneJobIn() {
    JobLock.Lease lease = lock.take("archive");
    lease.close();
    lease.close();
    try (JobLock.Lease second = lock.take("restore")) {
      assertThat(second).isNotNull();
      lease.close();
      assertThat(lock.runningJob()).isEqualTo("restore");
      assertRefused("'restore'");
    }
  }

  @Test
  void aJobThatClosesItselfIsToldSoAndNothingIsClosed() {
    try (JobLock.Lease lease = lock.take("archive")) {
      assertThat(lease).isNotNull();
      assertThatIllegalStateException().isThrownBy(lock::close).withMessageContaining("'archive'");
      assertThat(lock.isClosing()).isFalse();
    }
    lock.take("restore").close();
  }

  @Test
  void closingTellsTheRunningJobAndWaitsForIt() throws Exception {
    JobLock.Lease lease = lock.take("archive");
    assertThat(lock.isClosing()).isFalse();
    AtomicBoolean ended = new AtomicBoolean();
    Thread closer =
        new Thread(
            () -> {
              lock.close();
              assertThat(ended).isTrue();
            });
    List<Throwable> failures = new ArrayList<>();
    closer.setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
    closer.start();
    while (!lock.isClosing()) {
      Thread.onSpinWait();
    }
    ended.set(true);
    lease.close();
    closer.join();
    assertThat(failures).isEmpty();
    assertRefused("is being closed");
    lock.close();
    assertRefused("is being closed");
  }

  @Test
  void ofManyJobsThatBeginTogetherOneRuns() throws Exception {
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    AtomicInteger ran = new AtomicInteger();
    CountDownLatch start = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      Thread thread =
          new Thread(
              () -> {
                awaitStart(start);
                for (int i = 0; i < 2000; i++) {
                  try (JobLock.Lease lease = lock.take("job")) {
                    most.accumulateAndGet(running.incrementAndGet(), Math::max);
                    ran.incrementAndGet();
                    running.decrementAndGet();
                  } catch (ConflictException e) {
                    assertThat(e.reason()).isEqualTo(Reason.JOB_RUNNING);
                  }
                }
              });
      threads.add(thread);
      thread.start();
    }
    start.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(most).hasValue(1);
    assertThat(ran.get()).isGreaterThan(100);
  }

  private static void awaitStart(CountDownLatch start) {
    try {
      start.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
