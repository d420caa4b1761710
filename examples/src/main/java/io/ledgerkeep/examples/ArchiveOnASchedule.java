package io.ledgerkeep.examples;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archiver.Policy;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.job.JobControl;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** How does a node keep itself small without anybody calling a command? */
public final class ArchiveOnASchedule {

  private ArchiveOnASchedule() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    CountDownLatch runs = new CountDownLatch(2);
    try (Ledger ledger = open(directory)) {
      ledger.commitAll(MadeUpChain.blocks(100));
      // At most 20 blocks stay, and of those at most 64 GB of bodies.
      Policy policy = Policy.none().keepBlocks(20).keepBytes(64_000_000_000L);
      out.println("due up to " + ledger.archiver().due(policy).orElse(0));
      ScheduledFuture<?> schedule =
          scheduler.scheduleWithFixedDelay(
              () -> {
                try {
                  ledger
                      .archiver()
                      .archiveDue(policy, JobControl.none())
                      .ifPresent(report -> out.println("archived " + report.blocks() + " blocks"));
                } catch (LedgerkeepException e) {
                  out.println("the next run tries again: " + e.getMessage());
                } finally {
                  runs.countDown();
                }
              },
              0,
              10,
              TimeUnit.MILLISECONDS);
      runs.await();
      schedule.cancel(false);
      scheduler.shutdown();
      scheduler.awaitTermination(1, TimeUnit.MINUTES); // before the ledger closes
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      scheduler.shutdownNow();
    }
    out.println("a hundred small blocks fill no segment, so they are left to a later run");
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
