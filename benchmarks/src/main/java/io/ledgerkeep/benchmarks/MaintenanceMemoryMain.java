package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Rebuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The main class of a process that backs up a ledger of so many blocks, rebuilds it and rolls it
 * back, and writes into a file what memory each of the three took at most.
 */
final class MaintenanceMemoryMain {

  static final String BACKUP = "backup";
  static final String REBUILD = "rebuild";
  static final String ROLL_BACK = "roll-back";

  private static final int ROLLED_BACK = 10;
  private static final Path DIRECTORY = Path.of("ledger");

  private MaintenanceMemoryMain() {}

  public static void main(String[] arguments) throws IOException {
    long blocks = Long.parseLong(arguments[0]);
    Properties result = new Properties();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      runJobs(blocks, threads, result);
    } finally {
      threads.shutdown();
    }
    try (var out = Files.newOutputStream(Path.of(arguments[1]))) {
      result.store(out, null);
    }
  }

  private static void runJobs(long blocks, Executor threads, Properties result) {
    try (Ledger ledger = Ledgers.at(DIRECTORY).executor(threads).open()) {
      Ledgers.fill(ledger, Chain.SMALL, MemoryMain.fewKeys(), blocks);
      watch(BACKUP, result, () -> ledger.backup().run(Backup.Request.full(Path.of("backups"))));
    }
    Rebuilder rebuilder = Ledgers.at(DIRECTORY).executor(threads).rebuilder();
    watch(REBUILD, result, () -> rebuilder.rebuild(Rebuilder.Request.all()));
    long height = blocks - 1 - ROLLED_BACK;
    watch(ROLL_BACK, result, () -> rebuilder.rebuild(Rebuilder.Request.upTo(height)));
  }

  private static void watch(String job, Properties result, Runnable work) {
    try (MemoryPeaks peaks = MemoryPeaks.watch()) {
      work.run();
      peaks.look();
      result.setProperty(job + MemoryMain.HEAP, Long.toString(peaks.heapBytes()));
      result.setProperty(job + MemoryMain.ANONYMOUS, Long.toString(peaks.anonymousBytes()));
    }
  }
}
