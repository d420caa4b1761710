package io.ledgerkeep.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** Sums up the time that one side takes, and the processor time of the process meanwhile. */
final class Stopwatch {

  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private long nanos;
  private long cpuNanos;

  void time(Runnable work) {
    long cpuBefore = SYSTEM.getProcessCpuTime();
    long before = System.nanoTime();
    work.run();
    nanos += System.nanoTime() - before;
    cpuNanos += SYSTEM.getProcessCpuTime() - cpuBefore;
  }

  double seconds() {
    return nanos / 1e9;
  }

  /** Returns the processor time of all threads, those of the engine in the background too. */
  double cpuSeconds() {
    return cpuNanos / 1e9;
  }
}
