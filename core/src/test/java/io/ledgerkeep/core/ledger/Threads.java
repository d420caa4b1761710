package io.ledgerkeep.core.ledger;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Threads that begin at the same moment. */
final class Threads {

  /** After this a thread that has not ended is taken to hang. */
  private static final long HANGS_AFTER_SECONDS = 120;

  /** What one of the threads does. */
  @FunctionalInterface
  interface Task {
    void run() throws Exception;
  }

  private Threads() {}

  /** Runs every task on a thread of its own, and returns when all have ended well. */
  static void run(Task... tasks) throws Exception {
    CyclicBarrier start = new CyclicBarrier(tasks.length);
    List<Callable<Boolean>> calls = new ArrayList<>();
    for (Task task : tasks) {
      calls.add(
          () -> {
            start.await();
            task.run();
            return true;
          });
    }
    ExecutorService threads = Executors.newFixedThreadPool(tasks.length);
    try {
      for (Future<Boolean> running : calls.stream().map(threads::submit).toList()) {
        running.get(HANGS_AFTER_SECONDS, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
