package io.ledgerkeep.examples;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.metrics.LedgerMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.PrintStream;
import java.nio.file.Path;

/** How does a node show the measures of its ledger beside its own? */
public final class MetricsOfANode {

  private MetricsOfANode() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    // A node has a registry of some kind already, and serves what it holds in its own way.
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (Ledger ledger = open(directory);
        LedgerMetrics metrics = LedgerMetrics.of(ledger).withDisk("ledger", directory)) {
      metrics.bindTo(registry);
      ledger.commitAll(MadeUpChain.blocks(100));
      ledger.archiver().archive(ArchiveRequest.upTo(80));
      out.print(registry.scrape());
    } finally {
      registry.close();
    }
  }

  private static Ledger open(Path directory) {
    Path archive = directory.resolve("archive");
    return Ledgerkeep.builder()
        .directory(directory.resolve("data"))
        .storage("leveldb", Options.none())
        .reserveBytes(0) // holds no room for a full disk, which an example needs not
        .archiveStore("directory", Options.of("path", archive.toString()))
        .unarchivedBlocks(10)
        .open();
  }
}
