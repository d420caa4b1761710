package io.ledgerkeep.cli;

import io.ledgerkeep.LedgerStatus;
import io.ledgerkeep.Ledgerkeep;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "init", description = "Creates an empty ledger in an empty or absent directory.")
final class InitCommand extends LedgerCommand {

  @Option(names = "--chain-id", paramLabel = "ID", description = "The chain's name; chain1.")
  @Nullable String chainId;

  @Option(
      names = "--unarchived-blocks",
      paramLabel = "N",
      description = "How many of the newest blocks are never archived; 300000, at least 10.")
  @Nullable Long unarchivedBlocks;

  @Option(
      names = "--digest",
      paramLabel = "sha256|sm3",
      description = "The digest of the recorded roots; sha256.")
  @Nullable String digest;

  @Option(
      names = "--provider",
      paramLabel = "leveldb|badgerdb",
      description = "The engine of the databases; leveldb.")
  @Nullable String provider;

  @Override
  Outcome run(Settings settings) {
    requireNoLedger(settings.data());
    try (OpenLedger open = OpenLedger.created(builder(settings))) {
      LedgerStatus status = open.ledger().status();
      return Outcome.done()
          .say("created ledger " + status.ledgerId() + " of chain " + status.chainId())
          .put("chainId", status.chainId())
          .put("ledgerId", status.ledgerId())
          .put("digest", status.digest())
          .put("unarchivedBlocks", status.unarchivedBlocks());
    }
  }

  private Ledgerkeep.Builder builder(Settings settings) {
    Ledgerkeep.Builder builder = settings.newLedger(provider);
    if (chainId != null) {
      builder.chainId(chainId);
    }
    if (digest != null) {
      builder.digest(digest);
    }
    if (unarchivedBlocks != null) {
      builder.unarchivedBlocks(requireNotNegative("--unarchived-blocks", unarchivedBlocks));
    }
    return builder;
  }

  static void requireNoLedger(Path directory) {
    if (Files.exists(directory.resolve("LAYOUT"))) {
      throw CommandException.refused("there is a ledger in " + directory + " already");
    }
  }
}
