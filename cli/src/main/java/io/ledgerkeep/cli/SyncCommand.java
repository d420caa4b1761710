package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Conversion;
import io.ledgerkeep.Ledgerkeep.Sync;
import io.ledgerkeep.archive.Verification.Expected;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "sync",
    description = {
      "Makes the ledger of a new node, in the directory of --data, which is empty or absent, out of"
          + " what others have: an archive, ledgers that nobody has open, or several of them, each"
          + " block from the first that has it whole. State, history and indexes are made of the"
          + " blocks, and all of it is verified.",
      "What others have proves only itself: --expect names a block that is known to be the chain's,"
          + " and nothing above it is taken, or --trust-source says that they are trusted.",
      "Killed or stopped, the same command goes on where it was."
    })
final class SyncCommand extends LedgerCommand {

  private static final String NAME = "sync";

  @Option(
      names = "--from",
      paramLabel = "DIR",
      description =
          "The directory of a ledger, or a copy of it: LAYOUT and the block database suffice. May be"
              + " given several times.")
  private List<Path> ledgers = List.of();

  @Option(
      names = "--from-archive",
      paramLabel = "DIR",
      description = "An archive, which is asked first.")
  private @Nullable Path archive;

  @Option(
      names = "--of",
      paramLabel = "GENESIS[/ID]",
      description = "Whose archive, where --from-archive holds those of several ledgers.")
  private @Nullable String archiveOf;

  @Option(
      names = "--from-config",
      paramLabel = "FILE",
      description =
          "The configuration of what is read, where it is not that of the new ledger: its key, its"
              + " engines.")
  private @Nullable Path fromConfig;

  @Option(
      names = "--expect",
      paramLabel = "HEIGHT:HASH",
      description = "The block at HEIGHT must have that hash.")
  private @Nullable String expected;

  @Option(
      names = "--trust-source",
      description = "Take everything: what is read is known to be the chain's.")
  private boolean trusted;

  @Option(
      names = "--successor",
      description =
          "The new ledger takes the place of one that is no more: that of the archive, or of the"
              + " first --from. It has its identity and goes on with its archive.")
  private boolean successor;

  @Option(
      names = "--leave-archived",
      description =
          "Start archived: leave the bodies of old blocks in the archive of --archive; those of a"
              + " successor are there already.")
  private boolean leaveArchived;

  @Option(
      names = "--unarchived-blocks",
      paramLabel = "N",
      description = "How many of the newest blocks are never archived; 300000, at least 10.")
  private @Nullable Long unarchivedBlocks;

  @Option(
      names = "--provider",
      paramLabel = "leveldb|badgerdb",
      description = "The engine of the databases; leveldb.")
  private @Nullable String provider;

  @Mixin private final Pace pace = new Pace();

  @Option(names = "--dry-run", description = "Show what would be done; write nothing.")
  private boolean dryRun;

  @Override
  Outcome run(Settings settings) {
    pace.check();
    Sync sync = sync(settings);
    Ledgerkeep.Builder builder = settings.newLedger(provider);
    if (unarchivedBlocks != null) {
      builder.unarchivedBlocks(requireNotNegative("--unarchived-blocks", unarchivedBlocks));
    }
    return outcome(
        OpenLedger.withThreads(
            builder, of -> pace.run(console(), control -> of.sync(sync.with(control)))));
  }

  private Sync sync(Settings settings) {
    Settings source = fromConfig == null ? settings : settings.ofFile(fromConfig);
    Sync sync = sources(archive == null ? source.withoutArchive() : source.withArchive(archive));
    if (expected != null) {
      Expected anchor = VerifyCommand.expected(expected);
      sync = sync.expecting(anchor.height(), anchor.hash());
    }
    sync = trusted ? sync.trusting() : sync;
    sync = successor ? sync.asSuccessor() : sync;
    sync = leaveArchived ? sync.leavingArchived() : sync;
    return dryRun ? sync.asDryRun() : sync;
  }

  private Sync sources(Settings source) {
    if (archive == null && ledgers.isEmpty()) {
      throw CommandException.usage("--from or --from-archive is missing: what to take blocks from");
    }
    if (archive == null && archiveOf != null) {
      throw CommandException.usage("--of chooses within --from-archive, which is missing");
    }
    Sync sync =
        archive == null
            ? Sync.fromLedger(source.withData(ledgers.get(0)).ledger())
            : Sync.fromArchive(source.archiveBuilder(archiveOf));
    for (Path ledger : archive == null ? ledgers.subList(1, ledgers.size()) : ledgers) {
      sync = sync.andLedger(source.withData(ledger).ledger());
    }
    return sync;
  }

  private Outcome outcome(Sync.Report report) {
    if (report.outcome() == Conversion.Outcome.CANCELLED) {
      throw CommandException.interrupted(
          "%s stopped after %s; there is no ledger yet. Run the same command again to go on"
              .formatted(NAME, Units.blocks(report.blocks())));
    }
    Outcome outcome =
        Outcome.done()
            .say(
                dryRun
                    ? "would take over " + Units.blocks(report.blocks())
                    : "%s: took over %s, verified, as ledger %s in %s"
                        .formatted(
                            NAME,
                            Units.blocks(report.blocks()),
                            report.ledgerId(),
                            Units.duration(report.elapsed())));
    BackupCommand.say(outcome, "chain", report.chainId());
    BackupCommand.say(outcome, "height", String.valueOf(report.height()));
    if (dryRun) {
      BackupCommand.say(outcome, "needed, about", Units.bytes(report.bytesNeeded()));
    } else {
      BackupCommand.say(outcome, "archived height", String.valueOf(report.archivedHeight()));
    }
    if (report.regained() > 0) {
      BackupCommand.say(
          outcome, "regained", Units.blocks(report.regained()) + " that one of them had lost");
    }
    return outcome
        .put("job", NAME)
        .put("dryRun", dryRun)
        .put("chainId", report.chainId())
        .put("ledgerId", report.ledgerId())
        .put("height", report.height())
        .put("archivedHeight", report.archivedHeight())
        .put("blocks", report.blocks())
        .put("regained", report.regained())
        .put("bytesNeeded", report.bytesNeeded())
        .put("millis", report.elapsed().toMillis());
  }
}
