package io.ledgerkeep.examples;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.job.JobReport;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** How do I bring archived blocks back? */
public final class RestoreBlocks {

  private RestoreBlocks() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    List<Block> chain = MadeUpChain.blocks(100);
    Path archive = directory.resolve("archive");
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(directory.resolve("data"))
            .storage("leveldb", Options.none())
            .reserveBytes(0) // holds no room for a full disk, which an example needs not
            .archiveStore("directory", Options.of("path", archive.toString()))
            .unarchivedBlocks(10)
            .blockVerifier(votesAreThere())
            .open()) {
      ledger.commitAll(chain);
      ledger.archiver().archive(ArchiveRequest.upTo(80));
      out.println("archived up to " + ledger.archivedHeight());

      // From the archived height downwards, 61 itself included.
      JobReport some = ledger.restorer().restore(RestoreRequest.downTo(61));
      out.println("brought back " + some.blocks() + ", archived up to " + ledger.archivedHeight());

      JobReport rest = ledger.restorer().restore(RestoreRequest.downTo(1));
      out.println("brought back " + rest.blocks() + ", archived up to " + ledger.archivedHeight());

      boolean equal =
          chain.stream()
              .allMatch(block -> ledger.block(block.height()).orElseThrow().equals(block));
      out.println("every block is as it was: " + equal);
    }
  }

  /**
   * The node's own rule, asked for every block before a restore writes it. The digests recorded at
   * commit are checked in any case; a real node would check its signatures here.
   */
  private static BlockVerifier votesAreThere() {
    return block -> {
      if (block.additional().isEmpty()) {
        throw new IntegrityException("block " + block.height() + " has no votes");
      }
    };
  }
}
