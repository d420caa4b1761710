package io.ledgerkeep.examples;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledger.Jobs.Job;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Connection;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.job.JobReport;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * How do operators look after the ledger of a node that runs? The node hands in threads for a
 * control socket; the command line, or a program of the operators', reaches it by the directory.
 */
public final class ServeOperators {

  private ServeOperators() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    ExecutorService threads = Executors.newCachedThreadPool();
    try (Ledger ledger = open(directory, threads)) {
      ledger.commitAll(MadeUpChain.blocks(100));
      operate(directory.resolve("data"), out); // usually another process does this
    } finally {
      threads.shutdown(); // after the ledger
    }
  }

  private static void operate(Path data, PrintStream out) {
    try (Connection node = Ledgerkeep.connect(data)) {
      out.println("the node is at height " + node.status().height());
      JobReport report = node.archiver().archive(ArchiveRequest.upTo(80));
      out.println("it archived up to " + report.archivedHeightAfter());
      Job newest = node.jobs().list().get(0);
      out.println(newest.name() + " of " + newest.range() + ": " + newest.state());
    }
  }

  private static Ledger open(Path directory, ExecutorService threads) {
    Path archive = directory.resolve("archive");
    return Ledgerkeep.builder()
        .directory(directory.resolve("data"))
        .storage("leveldb", Options.none())
        .reserveBytes(0) // holds no room for a full disk, which an example needs not
        .archiveStore("directory", Options.of("path", archive.toString()))
        .unarchivedBlocks(10)
        .control(threads)
        .open();
  }
}
