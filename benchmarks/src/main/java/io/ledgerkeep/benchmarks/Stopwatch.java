package io.ledgerkeep.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** Sums up the time that one side takes, and the processor time of the process meanwhile. */
final class Stopwatch {

  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private long nanos;
  private long cpuNanos;
  private long threadNanos;

  void time(Runnable work) {
    long cpuBefore = SYSTEM.getProcessCpuTime();
    long threadBefore = THREADS.getCurrentThreadCpuTime();
    long before = System.nanoTime();
    work.run();
    nanos += System.nanoTime() - before;
    threadNanos += THREADS.getCurrentThreadCpuTime() - threadBefore;
    cpuNanos += SYSTEM.getProcessCpuTime() - cpuBefore;
  }

  double seconds() {
    return nanos / 1e9;
  }

  /** Returns the processor time of all threads: the engine's, the compiler's, the collector's. */
  double cpuSeconds() {
    return cpuNanos / 1e9;
  }

  /** Returns the processor time of the thread that does the work. */
  double threadSeconds() {
    return threadNanos / 1e9;
  }
}
