package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.function.Consumer;

/** Opens ledgers for measuring and fills them. */
final class Ledgers {

  /** The name of the archive store. */
  static final String STORE = "directory";

  private Ledgers() {}

  /** Returns a builder as everyone would use it, but for the reserve files. */
  static Ledgerkeep.Builder at(Path directory) {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(EngineSettings.ENGINE, EngineSettings.ofLedger())
        .unarchivedBlocks(10)
        .reserveBytes(0);
  }

  /** Makes a ledger of so many blocks; each is also shown to who wants to see it. */
  static void make(Path directory, Chain chain, long length, Consumer<Block> seen) {
    try (Ledger ledger = at(directory).open()) {
      Iterator<Block> blocks =
          new Iterator<>() {
            private final Iterator<Block> all = chain.blocks();

            @Override
            public boolean hasNext() {
              return true;
            }

            @Override
            public Block next() {
              Block block = all.next();
              seen.accept(block);
              return block;
            }
          };
      fill(ledger, chain, blocks, length);
    }
  }

  static void fill(Ledger ledger, Chain chain, Iterator<Block> blocks, long count) {
    for (long done = 0; done < count; done += chain.blocksAtOnce) {
      ledger.commitAll(Chain.next(blocks, Math.min(chain.blocksAtOnce, count - done)));
    }
  }

  /** Returns the settings of an archive in the directory. */
  static Options archiveAt(Path directory) {
    return Options.of("path", directory.toString());
  }

  /** Returns where the store of a database of a closed ledger lies. */
  static Path store(Path directory, Database database) {
    return directory.resolve(database.lowerCaseName()).resolve("db");
  }
}
