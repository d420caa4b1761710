package io.ledgerkeep.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/** Runs the same work on several threads at once. */
final class Tasks {

  private Tasks() {}

  /** Runs so many tasks, each of which is told its number, to their ends. */
  static void run(ExecutorService threads, int tasks, IntConsumer work) {
    List<Future<?>> running = new ArrayList<>();
    for (int task = 0; task < tasks; task++) {
      int number = task;
      running.add(threads.submit(() -> work.accept(number)));
    }
    try {
      for (Future<?> task : running) {
        task.get();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException("a task failed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
