package io.ledgerkeep.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Watches what memory this process holds. Heap is looked at after full collections, which it asks
 * for again and again: what is garbage then was garbage before.
 */
final class MemoryPeaks implements AutoCloseable {

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final int EVERY_MILLIS = 200;

  private final MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
  private final ScheduledExecutorService watcher = Executors.newSingleThreadScheduledExecutor();
  private volatile long heapBytes;
  private volatile long anonymousBytes;

  private final ScheduledFuture<?> looking;

  private MemoryPeaks() {
    looking =
        watcher.scheduleWithFixedDelay(
            this::look, EVERY_MILLIS, EVERY_MILLIS, TimeUnit.MILLISECONDS);
  }

  static MemoryPeaks watch() {
    return new MemoryPeaks();
  }

  /** Looks now, beside the times at which it looks by itself; the watch must not be closed. */
  synchronized void look() {
    anonymousBytes = Math.max(anonymousBytes, status("RssAnon"));
    memory.gc();
    heapBytes = Math.max(heapBytes, memory.getHeapMemoryUsage().getUsed());
  }

  long heapBytes() {
    return heapBytes;
  }

  long anonymousBytes() {
    return anonymousBytes;
  }

  /** Returns the most that lay in memory at once, mapped files included. */
  long rssBytes() {
    return status("VmHWM");
  }

  private static long status(String name) {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith(name + ":")) {
          return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new IllegalStateException("the system does not tell " + name);
  }

  @Override
  public void close() {
    boolean failed = looking.isDone();
    watcher.shutdown();
    if (failed) {
      throw new IllegalStateException("the watch over the memory ended early");
    }
  }
}
