package io.ledgerkeep.examples;

import static io.ledgerkeep.examples.MadeUpChain.ALICE;
import static io.ledgerkeep.examples.MadeUpChain.CONTRACT;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerReader;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** How do I read several things at one height while the chain goes on? */
public final class ReadAtOneHeight {

  private ReadAtOneHeight() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    List<Block> chain = MadeUpChain.blocks(60);
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(directory.resolve("data"))
            .storage("leveldb", Options.none())
            .reserveBytes(0) // holds no room for a full disk, which an example needs not
            .open()) {
      ledger.commitAll(chain.subList(0, 50));

      // A view costs no copy, but keeps the engine from giving space back: close it soon.
      try (LedgerView view = ledger.view()) {
        ledger.commitAll(chain.subList(50, 60));

        print("the view", view, out);
        print("the ledger", ledger, out);
      }
    }
  }

  private static void print(String who, LedgerReader reader, PrintStream out) {
    String balance = reader.state(CONTRACT, ALICE).orElseThrow().utf8();
    out.println(who + " is at height " + reader.height() + ", where Alice has " + balance);
  }
}
