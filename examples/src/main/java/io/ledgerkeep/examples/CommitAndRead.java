package io.ledgerkeep.examples;

import static io.ledgerkeep.examples.MadeUpChain.ALICE;
import static io.ledgerkeep.examples.MadeUpChain.CONTRACT;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.LedgerReader.StateEntry;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/** How do I keep a chain and read it back? */
public final class CommitAndRead {

  private CommitAndRead() {}

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
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(directory.resolve("data"))
            .chainId("chain1")
            .storage("leveldb", Options.none())
            .reserveBytes(0) // holds no room for a full disk, which an example needs not
            .open()) {

      // Many blocks at once, as when a node catches up: few syncs, all durable in the end.
      ledger.commitAll(chain.subList(0, 99));
      // One block at a time, as when it follows the chain: durable when the call returns.
      ledger.commit(chain.get(99));
      // The newest block again, because the node was not sure: nothing happens.
      ledger.commit(chain.get(99));
      out.println("height " + ledger.height());

      Block block = ledger.block(42).orElseThrow();
      Block same = ledger.blockByHash(block.hash()).orElseThrow();
      out.println("block 42 by height and by hash: " + block.equals(same));

      Transaction transaction = ledger.transaction("pay-42").orElseThrow();
      RwSet rwSet = ledger.rwSet("pay-42").orElseThrow();
      out.println(transaction.payload().utf8() + ", " + rwSet.writes().size() + " write");

      // What is not there is empty; nothing here is ever null.
      out.println("block 1000: " + ledger.block(1000).isPresent());

      // A meta stays on the node for ever, also when the rest of its block is in an archive.
      BlockMeta meta = ledger.meta(42).orElseThrow();
      out.println("block 42 is " + meta.kind() + " with " + meta.transactionCount() + " ids");

      Bytes balance = ledger.state(CONTRACT, ALICE).orElseThrow();
      out.println("Alice has " + balance.utf8());
      printClerks(ledger, out);
      printHistory(ledger, out);
    }
  }

  private static void printClerks(Ledger ledger, PrintStream out) {
    KeyRange clerks = KeyRange.prefix(Bytes.ofUtf8("clerk-"));
    try (CloseableIterator<StateEntry> entries = ledger.scanState(CONTRACT, clerks)) {
      while (entries.hasNext()) {
        StateEntry entry = entries.next();
        out.println(entry.key().utf8() + " has " + entry.value().utf8());
      }
    }
  }

  private static void printHistory(Ledger ledger, PrintStream out) {
    try (CloseableIterator<HistoryEntry> history = ledger.history(CONTRACT, ALICE)) {
      for (int i = 0; i < 3 && history.hasNext(); i++) {
        HistoryEntry entry = history.next();
        out.println("Alice was written by " + entry.txId() + " in block " + entry.height());
      }
    }
  }
}
