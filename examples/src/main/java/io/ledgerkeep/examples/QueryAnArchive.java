package io.ledgerkeep.examples;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import java.io.PrintStream;
import java.nio.file.Path;

/** How do I ask an archive without its node, years later? */
public final class QueryAnArchive {

  private QueryAnArchive() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    Options place = Options.of("path", directory.resolve("archive").toString());
    makeArchive(directory, place);

    // From here on nothing of the node is needed.
    try (Archive archive = Ledgerkeep.archive().store("directory", place).open()) {
      out.println("chain " + archive.chainId() + ", heights 0 to " + archive.lastHeight());
      for (Archive.Segment segment : archive.segments()) {
        out.println(
            "segment of heights %d to %d".formatted(segment.firstHeight(), segment.lastHeight()));
      }

      Block block = archive.block(42).orElseThrow();
      out.println("by height: " + block.transactions().get(0).payload().utf8());
      out.println("by hash: " + archive.blockByHash(block.hash()).isPresent());
      out.println("by id: " + archive.transaction("pay-42").orElseThrow().payload().utf8());
      out.println("its RWSet: " + archive.rwSet("pay-42").orElseThrow().writes().size() + " write");

      // Alone an archive proves that it is whole; that it is the chain's, a node has to say.
      Verification found = archive.verify(Verification.Request.of(Level.CONTENT));
      out.println("checked " + found.blocks() + " blocks, all well: " + found.ok());
    }
  }

  private static void makeArchive(Path directory, Options place) {
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(directory.resolve("data"))
            .storage("leveldb", Options.none())
            .reserveBytes(0) // holds no room for a full disk, which an example needs not
            .archiveStore("directory", place)
            .unarchivedBlocks(10)
            .open()) {
      ledger.commitAll(MadeUpChain.blocks(100));
      ledger.archiver().archive(ArchiveRequest.upTo(80));
    }
  }
}
