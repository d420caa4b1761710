package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The main class of a process that imports, archives and restores a chain of so many blocks, and
 * writes into a file what memory it took at most.
 */
final class MemoryMain {

  static final String HEAP = "heap";
  static final String RSS = "rss";
  static final String ANONYMOUS = "anonymous";

  private static final int KEYS = 1000;

  private MemoryMain() {}

  public static void main(String[] arguments) throws IOException {
    long blocks = Long.parseLong(arguments[0]);
    Path directory = Path.of("ledger");
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (MemoryPeaks peaks = MemoryPeaks.watch()) {
      try (Ledger ledger =
          Ledgers.at(directory)
              .archiveStore(Ledgers.STORE, Ledgers.archiveAt(Path.of("archive")))
              .executor(threads)
              .open()) {
        Ledgers.fill(ledger, Chain.SMALL, fewKeys(), blocks);
        ledger.archiver().archive(ArchiveRequest.upTo(Chain.ninetyPercent(blocks)));
        ledger.restorer().restore(RestoreRequest.downTo(1));
      }
      Properties result = new Properties();
      result.setProperty(HEAP, Long.toString(peaks.heapBytes()));
      result.setProperty(RSS, Long.toString(peaks.rssBytes()));
      result.setProperty(ANONYMOUS, Long.toString(peaks.anonymousBytes()));
      try (var out = Files.newOutputStream(Path.of(arguments[1]))) {
        result.store(out, null);
      }
    } finally {
      threads.shutdown();
    }
  }

  /** Who makes the blocks keeps the state of the chain in the same heap: it must not be large. */
  static Iterator<Block> fewKeys() {
    return Chain.SMALL.builder().keys(KEYS).build().iterator();
  }
}
