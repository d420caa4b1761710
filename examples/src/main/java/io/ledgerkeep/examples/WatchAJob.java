package io.ledgerkeep.examples;

import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.job.JobReport;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/** How do I follow, slow down and stop a job? */
public final class WatchAJob {

  private static final long MEGABYTE = 1_000_000;

  private WatchAJob() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    Path archive = directory.resolve("archive");
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(directory.resolve("data"))
            .storage("leveldb", Options.none())
            .reserveBytes(0) // holds no room for a full disk, which an example needs not
            .archiveStore("directory", Options.of("path", archive.toString()))
            .unarchivedBlocks(10)
            .open()) {
      ledger.commitAll(MadeUpChain.blocks(100));

      AtomicBoolean stop = new AtomicBoolean();
      JobControl control =
          JobControl.none()
              // Told on the job's own thread, often: here it asks the job to stop half-way.
              .onProgress(progress -> stop.set(progress.doneBlocks() >= 40))
              .atMost(50 * MEGABYTE)
              .cancelledBy(stop::get);

      JobReport first = ledger.archiver().archive(ArchiveRequest.upTo(80).with(control));
      out.println("stopped: " + first.cancelled() + ", archived " + first.blocks());

      // What was stopped, or killed, is simply run again.
      JobReport second = ledger.archiver().archive(ArchiveRequest.upTo(80));
      out.println("stopped: " + second.cancelled() + ", archived " + second.blocks());
    }
  }
}
