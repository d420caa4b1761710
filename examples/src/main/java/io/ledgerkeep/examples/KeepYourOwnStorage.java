package io.ledgerkeep.examples;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/**
 * How does a node keep a storage of its own beside the ledger? Two storages never change in one
 * step, so one of them leads: a block goes to the ledger first, and {@link OwnStorage} follows,
 * after each commit and at each start. Its files lie beside the directory of the ledger, not in it.
 */
public final class KeepYourOwnStorage {

  private KeepYourOwnStorage() {}

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
    Path file = directory.resolve("node").resolve("payloads");
    try {
      try (Ledger ledger = open(directory)) {
        OwnStorage own = new OwnStorage(file);
        own.follow(ledger);
        for (Block block : chain.subList(0, 60)) {
          ledger.commit(block); // the ledger first
          own.follow(ledger);
        }
        out.println(own.payloadBytes() + " bytes of payload up to height " + ledger.height());

        // A crash between the two leaves the ledger ahead.
        ledger.commitAll(chain.subList(60, 100));
        ledger.archiver().archive(ArchiveRequest.upTo(80));
      }
      try (Ledger ledger = open(directory)) {
        OwnStorage own = new OwnStorage(file); // as it was before the crash
        out.println("followed with " + own.follow(ledger) + " blocks, some of the archive");
        out.println(own.payloadBytes() + " bytes of payload up to height " + ledger.height());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Ledger open(Path directory) {
    Path archive = directory.resolve("archive");
    return Ledgerkeep.builder()
        .directory(directory.resolve("data"))
        .storage("leveldb", Options.none())
        .reserveBytes(0) // holds no room for a full disk, which an example needs not
        .archiveStore("directory", Options.of("path", archive.toString()))
        .unarchivedBlocks(10)
        .readThrough(true) // who follows from far behind needs bodies that were archived
        .open();
  }
}
