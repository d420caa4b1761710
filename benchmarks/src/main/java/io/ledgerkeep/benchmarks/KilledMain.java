package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;

/**
 * The main class of a process that ends in the middle of its work: it makes a ledger, commits until
 * state and history are about as far behind what is durable as they ever get, and is gone.
 */
final class KilledMain {

  static final int EXIT_CODE = 137;

  private static final long BEHIND_BLOCKS = 9_000;
  private static final int ATTEMPTS = 30;

  private KilledMain() {}

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    Ledger ledger = Ledgers.at(directory).open();
    Iterator<Block> blocks = Chain.SMALL.blocks();
    Ledgers.fill(ledger, Chain.SMALL, blocks, Long.parseLong(arguments[1]));
    for (int i = 0; i < ATTEMPTS && behind(ledger) < BEHIND_BLOCKS; i++) {
      Ledgers.fill(ledger, Chain.SMALL, blocks, Chain.SMALL.blocksAtOnce);
    }
    Files.writeString(behindFile(directory), Long.toString(behind(ledger)));
    Runtime.getRuntime().halt(EXIT_CODE);
  }

  /** Returns how many blocks state and history of the ledger were behind when it was left. */
  static long behind(Path directory) {
    try {
      return Long.parseLong(Files.readString(behindFile(directory)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path behindFile(Path directory) {
    return directory.resolveSibling(directory.getFileName() + ".behind");
  }

  private static long behind(Ledger ledger) {
    LedgerStatus status = ledger.status();
    return status.height() - status.derivedThrough();
  }
}
