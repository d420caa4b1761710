package io.ledgerkeep.testkit.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

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
      List<Future<Object>> running = calls.stream().map(threads::submit).toList();
      running.forEach(Crowd::await);
    } finally {
      threads.shutdownNow();
    }
  }

  private static Thread daemon(Runnable runnable) {
    Thread thread = new Thread(runnable, "crowd");
    thread.setDaemon(true);
    return thread;
  }

  private static void await(Future<Object> running) {
    try {
      running.get(HANGS_AFTER_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError("a thread failed: " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("a thread hangs", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
