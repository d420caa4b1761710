package io.ledgerkeep.core.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.error.StorageException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class OrderedPipelineTest {

  private final ExecutorService threads = Executors.newFixedThreadPool(4);

  @AfterEach
  void stopThreads() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void resultsComeInTheOrderOfTheTasks() {
    Random random = new Random(7);
    List<Integer> results = new ArrayList<>();
    try (var pipeline = new OrderedPipeline<Integer>(threads, 8, Long.MAX_VALUE)) {
      for (int i = 0; i < 5000; i++) {
        if (pipeline.isFull()) {
          results.add(pipeline.take());
        }
        int number = i;
        int work = random.nextInt(2000);
        pipeline.submit(1, () -> spin(work) ? number : -1);
      }
      while (!pipeline.isEmpty()) {
        results.add(pipeline.take());
      }
    }
    assertThat(results).hasSize(5000).isSorted().doesNotContain(-1);
  }

  @Test
  void itIsFullByTasksAndByBytes() {
    try (var byTasks = new OrderedPipeline<Integer>(Runnable::run, 2, 1000);
        var byBytes = new OrderedPipeline<Integer>(Runnable::run, 100, 1000)) {
      byTasks.submit(1, () -> 1);
      assertThat(byTasks.isFull()).isFalse();
      byTasks.submit(1, () -> 2);
      assertThat(byTasks.isFull()).isTrue();
      byTasks.take();
      assertThat(byTasks.isFull()).isFalse();

      byBytes.submit(999, () -> 1);
      assertThat(byBytes.isFull()).isFalse();
      byBytes.submit(5000, () -> 2);
      assertThat(byBytes.isFull()).isTrue();
      byBytes.take();
      assertThat(byBytes.isFull()).isTrue();
      byBytes.take();
      assertThat(byBytes.isFull()).isFalse();
    }
  }

  @Test
  void aDirectExecutorRunsEverythingInline() {
    Thread caller = Thread.currentThread();
    try (var pipeline = new OrderedPipeline<Thread>(Runnable::run)) {
      pipeline.submit(1, Thread::currentThread);
      assertThat(pipeline.take()).isSameAs(caller);
    }
  }

  @Test
  void anExecutorThatRefusesMakesTheCallerDoTheWork() {
    try (var pipeline =
        new OrderedPipeline<Thread>(
            task -> {
              throw new RejectedExecutionException();
            })) {
      pipeline.submit(1, Thread::currentThread);
      assertThat(pipeline.take()).isSameAs(Thread.currentThread());
    }
  }

  @Test
  void anExecutorThatNeverComesToTheTaskStopsNothing() {
    List<Runnable> never = new ArrayList<>();
    AtomicInteger runs = new AtomicInteger();
    try (var pipeline = new OrderedPipeline<Integer>(never::add)) {
      pipeline.submit(1, runs::incrementAndGet);
      pipeline.submit(1, runs::incrementAndGet);
      assertThat(pipeline.take()).isEqualTo(1);
    }
    never.forEach(Runnable::run);
    assertThat(runs).as("one was taken, the other dropped").hasValue(1);
  }

  @Test
  void aFailureComesOutOnceAndEndsTheRest() {
    AtomicInteger running = new AtomicInteger();
    var pipeline = new OrderedPipeline<Integer>(threads, 64, Long.MAX_VALUE);
    RuntimeException failure = new IllegalStateException("the third");
    for (int i = 0; i < 50; i++) {
      int number = i;
      pipeline.submit(
          1,
          () -> {
            running.incrementAndGet();
            spin(20_000);
            running.decrementAndGet();
            if (number == 2) {
              throw failure;
            }
            return number;
          });
    }
    assertThat(pipeline.take()).isZero();
    assertThat(pipeline.take()).isEqualTo(1);
    assertThatThrownBy(pipeline::take).isSameAs(failure);
    assertThat(running).hasValue(0);
    assertThat(pipeline.isEmpty()).isTrue();
    assertThatThrownBy(() -> pipeline.submit(1, () -> 1)).isInstanceOf(IllegalStateException.class);
    pipeline.close();
  }

  @Test
  void closeWaitsForWhatRunsAndDropsTheRest() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger ended = new AtomicInteger();
    List<Runnable> later = new ArrayList<>();
    var pipeline =
        new OrderedPipeline<Integer>(
            task -> {
              if (begun.getCount() == 1) {
                threads.execute(task);
                awaitQuietly(begun);
              } else {
                later.add(task);
              }
            });
    pipeline.submit(
        1,
        () -> {
          begun.countDown();
          awaitQuietly(go);
          return ended.incrementAndGet();
        });
    pipeline.submit(1, ended::incrementAndGet);
    threads.execute(go::countDown);
    pipeline.close();
    assertThat(ended).as("the one that ran is over").hasValue(1);
    later.forEach(Runnable::run);
    assertThat(ended).as("the other is never run").hasValue(1);
    pipeline.close();
  }

  @Test
  void anInterruptIsKeptAndLeavesNoTaskRunning() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger ended = new AtomicInteger();
    var pipeline = new OrderedPipeline<Integer>(threads);
    pipeline.submit(
        1,
        () -> {
          begun.countDown();
          awaitQuietly(go);
          return ended.incrementAndGet();
        });
    begun.await();
    Thread caller = Thread.currentThread();
    threads.execute(
        () -> {
          caller.interrupt();
          go.countDown();
        });
    try {
      assertThatThrownBy(
              () -> {
                pipeline.take();
                pipeline.submit(1, () -> 1);
                Thread.onSpinWait();
                while (!Thread.currentThread().isInterrupted()) {
                  Thread.onSpinWait();
                }
                pipeline.take();
              })
          .isInstanceOfSatisfying(
              StorageException.class, e -> assertThat(e.isRetryable()).isTrue());
      assertThat(Thread.currentThread().isInterrupted()).isTrue();
      assertThat(ended).hasValue(1);
    } finally {
      Thread.interrupted();
    }
  }

  private static boolean spin(int rounds) {
    for (int i = 0; i < rounds; i++) {
      Thread.onSpinWait();
    }
    return true;
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
