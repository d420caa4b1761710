package io.ledgerkeep.examples;

import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.examples.journal.JournalStorage;
import java.io.PrintStream;
import java.nio.file.Path;

/**
 * How do I bring a storage engine of my own? Write a provider and an engine, as the package {@link
 * io.ledgerkeep.examples.journal} does, prove them with the contract of the testkit, and hand the
 * provider in. An engine that is found by name is declared twice: in the module's descriptor, and
 * below META-INF/services for the class path.
 */
public final class UseYourOwnEngine {

  private UseYourOwnEngine() {}

  /**
   * Runs the example.
   *
   * @param args the directory to work in; {@code example} if not given
   */
  public static void main(String[] args) {
    run(Path.of(args.length == 0 ? "example" : args[0]), System.out);
  }

  static void run(Path directory, PrintStream out) {
    // [use]
    try (Ledger ledger =
        Ledgerkeep.builder()
            .directory(directory.resolve("data"))
            .storage(new JournalStorage(), Options.none()) // handed in
            .database(Database.STATE, "journal", Options.none()) // found by its name
            .open()) {
      ledger.commitAll(MadeUpChain.blocks(50));
      out.println("height " + ledger.height() + " on " + ledger.status().engines());
    }
    // [/use]
    // Which engine a database is on is kept with the ledger: this finds it by name.
    try (Ledger ledger = Ledgerkeep.builder().directory(directory.resolve("data")).openExisting()) {
      out.println("opened again at height " + ledger.height());
    }
  }
}
