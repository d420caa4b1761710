package io.ledgerkeep.examples;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.job.JobReport;
import java.nio.file.Path;
import java.util.List;

/** What is it all about? The README shows the part between the marks. */
public final class Quickstart {

  private Quickstart() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    Path directory = Path.of(args.length == 0 ? "example" : args[0]);
    run(directory.resolve("data"), directory.resolve("archive"), MadeUpChain.blocks(200));
  }

  static void run(Path data, Path archive, List<Block> blocks) {
    // [readme]
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(data)
            .storage("leveldb", Options.none())
            .archiveStore("directory", Options.of("path", archive.toString()))
            .unarchivedBlocks(100) // the newest blocks always stay on the node
            .readThrough(true)
            .open()) {
      for (Block block : blocks) {
        ledger.commit(block); // durable when it returns
      }
      Bytes balance = ledger.state("token", Bytes.ofUtf8("alice")).orElseThrow();

      JobReport archived = ledger.archiver().archive(ArchiveRequest.upTo(80));
      Block old = ledger.block(42).orElseThrow(); // from the archive, verified
      JobReport restored = ledger.restorer().restore(RestoreRequest.downTo(60));

      System.out.println("Alice has " + balance.utf8() + ", block 42 has " + old.hash().hex());
      System.out.println(archived.blocks() + " archived, " + restored.blocks() + " brought back");
    }
    // [/readme]
  }
}
