package io.ledgerkeep.testkit.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Threads that all begin at the same moment. */
final class Crowd {

  /** After this a thread that has not ended is taken to hang. */
  private static final long HANGS_AFTER_SECONDS = 120;

  /** What one of the threads does. */
  @FunctionalInterface
  interface Task {
    void run() throws Exception;
  }

  private Crowd() {}

  /** Runs every task on a thread of its own and returns when all have ended well. */
  static void run(List<Task> tasks) {
    CyclicBarrier start = new CyclicBarrier(tasks.size());
    List<Callable<Object>> calls = new ArrayList<>();
    for (Task task : tasks) {
      calls.add(
          () -> {
            start.await();
            task.run();
            return calls;
          });
    }
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size(), Crowd::daemon);
    try {
      CompletionService<Object> running = new ExecutorCompletionService<>(threads);
      calls.forEach(running::submit);
      for (int i = 0; i < tasks.size(); i++) {
        awaitNext(running);
      }
    } finally {
      // where one failed the others may wait for it
      threads.shutdownNow();
    }
  }

  private static Thread daemon(Runnable runnable) {
    Thread thread = new Thread(runnable, "crowd");
    thread.setDaemon(true);
    return thread;
  }

  private static void awaitNext(CompletionService<Object> running) {
    try {
      Future<Object> ended = running.poll(HANGS_AFTER_SECONDS, TimeUnit.SECONDS);
      if (ended == null) {
        throw new AssertionError("a thread hangs");
      }
      ended.get();
    } catch (ExecutionException e) {
      throw new AssertionError("a thread failed: " + e.getCause(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
