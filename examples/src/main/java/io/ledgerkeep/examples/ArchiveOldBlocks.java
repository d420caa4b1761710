package io.ledgerkeep.examples;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.job.JobReport;
import java.io.PrintStream;
import java.nio.file.Path;

/** How do I make the node smaller, and still read everything? */
public final class ArchiveOldBlocks {

  private ArchiveOldBlocks() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    try (Ledger ledger = open(directory, false)) {
      ledger.commitAll(MadeUpChain.blocks(100));
      // The newest 10 blocks stay on the node: this setting tells how far an archive run may go.
      out.println("archivable up to " + ledger.status().highestArchivableHeight());

      // Genesis and config blocks stay too, so a config block is no height to archive up to.
      try {
        ledger.archiver().plan(ArchiveRequest.upTo(50));
      } catch (ConflictException e) {
        out.println(e.reason() + ": " + e.getMessage());
      }

      JobPlan plan = ledger.archiver().plan(ArchiveRequest.upTo(80));
      out.println("would archive " + plan.blocks() + " blocks");
      JobReport report = ledger.archiver().archive(ArchiveRequest.upTo(80));
      out.println("archived " + report.blocks() + " blocks, up to " + report.archivedHeightAfter());

      // Without read-through, what is gone is refused; the exception knows where it went.
      try {
        ledger.block(42);
      } catch (ArchivedException e) {
        out.println(e.getMessage() + " " + e.height());
      }
      out.println("block 50 is here: " + ledger.block(50).isPresent());
      out.println("meta 42 is here: " + ledger.meta(42).isPresent());
    }

    // With read-through it comes from the archive, checked against what the node recorded.
    try (Ledger ledger = open(directory, true)) {
      Block block = ledger.block(42).orElseThrow();
      out.println("read through: " + block.transactions().get(0).payload().utf8());
    }
  }

  private static Ledger open(Path directory, boolean readThrough) {
    Path archive = directory.resolve("archive");
    return Ledgerkeep.builder()
        .directory(directory.resolve("data"))
        .storage("leveldb", Options.none())
        .reserveBytes(0) // holds no room for a full disk, which an example needs not
        .archiveStore("directory", Options.of("path", archive.toString()))
        .unarchivedBlocks(10)
        .readThrough(readThrough)
        .open();
  }
}
