package io.ledgerkeep.cli;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockReader;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.cli.interchange.BlockLinesWriter;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "query",
    description = {
      "Prints one block, transaction or RWSet as the interchange format has it.",
      "Reads the ledger of --data, or else the archive on its own."
    })
final class QueryCommand extends LedgerCommand {

  @ArgGroup(multiplicity = "1")
  @SuppressWarnings("NullAway.Init") // required, so picocli sets it
  private Subject subject;

  @Option(
      names = "--read-through",
      description = "Read what was archived from the archive, as if it were on the node.")
  private boolean readThrough;

  /** What to look for; exactly one is given. */
  static final class Subject {
    @Option(names = "--height", paramLabel = "H", description = "The block at the height.")
    private @Nullable Long height;

    @Option(names = "--hash", paramLabel = "HEX", description = "The block with the hash.")
    private @Nullable String hash;

    @Option(names = "--tx", paramLabel = "ID", description = "The transaction with the id.")
    private @Nullable String transaction;

    @Option(names = "--rwset", paramLabel = "ID", description = "The RWSet of a transaction.")
    private @Nullable String rwSet;
  }

  @Override
  Outcome run(Settings settings) throws IOException {
    if (!settings.hasData()) {
      try (Archive archive = settings.openArchive()) {
        return query(archive);
      }
    }
    if (readThrough) {
      settings.archive();
    }
    try (OpenLedger open =
        OpenLedger.existing(
            readThrough ? settings.ledger().readThrough(true) : settings.ledger())) {
      return query(open.ledger());
    }
  }

  private Outcome query(BlockReader reader) throws IOException {
    BlockLinesWriter writer = new BlockLinesWriter(console().results());
    if (subject.transaction != null) {
      writer.write(found(reader.transaction(subject.transaction), "transaction"));
    } else if (subject.rwSet != null) {
      writer.write(found(reader.rwSet(subject.rwSet), "RWSet"));
    } else {
      writer.write(found(block(reader), "block"));
    }
    writer.flush();
    return Outcome.done();
  }

  private Optional<Block> block(BlockReader reader) {
    return subject.height != null
        ? reader.block(requireNotNegative("--height", subject.height))
        : reader.blockByHash(hash());
  }

  private Bytes hash() {
    try {
      return Bytes.fromHex(String.valueOf(subject.hash));
    } catch (IllegalArgumentException e) {
      throw CommandException.usage("--hash must be an even number of hexadecimal digits");
    }
  }

  private static <T> T found(Optional<T> value, String name) {
    return value.orElseThrow(() -> CommandException.notFound("there is no such " + name));
  }
}
