package io.ledgerkeep.cli;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Backup.Restored;
import io.ledgerkeep.Backup.Restoring;
import io.ledgerkeep.Backup.Restoring.Mode;
import io.ledgerkeep.Ledgerkeep;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "restore-backup",
    description = {
      "Restores a ledger from its backups into the directory of --data, which is empty or absent.",
      "It is a ledger only once everything is restored and verified. Blocks up to the archived"
          + " height are in the archive, which the ledger goes on with: give --archive to have them"
          + " verified too.",
      "Killed or stopped, the same command goes on where it was."
    })
final class RestoreBackupCommand extends LedgerCommand {

  private static final String NAME = "restore-backup";

  @Option(
      names = "--from",
      paramLabel = "DIR",
      required = true,
      description = "The directory of the backups.")
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private Path from;

  @Option(
      names = "--number",
      paramLabel = "N",
      description = "Which backup, with those that it follows; the newest.")
  private @Nullable Integer number;

  @Option(
      names = "--rehearse",
      description =
          "Restore and verify in the directory of --data, then remove everything again: it is known"
              + " then that it can be done.")
  private boolean rehearse;

  @Option(
      names = "--add-archive",
      description = "Also commit the blocks that the archive has above the backup.")
  private boolean addArchive;

  @Option(
      names = "--new-config",
      paramLabel = "FILE",
      description =
          "A configuration whose key (encryptor, encrypt_key, node.pkcs11) the restored ledger is"
              + " to be under, instead of that of --config, which opens the backup.")
  private @Nullable Path newConfig;

  @Mixin private final Pace pace = new Pace();

  @Option(
      names = "--dry-run",
      description = "Check every file of the backups and show what would be done; write nothing.")
  private boolean dryRun;

  @Override
  Outcome run(Settings settings) {
    pace.check();
    if (dryRun && rehearse) {
      throw CommandException.usage("--dry-run and --rehearse exclude each other");
    }
    return outcome(OpenLedger.withThreads(settings.ledger(), this::restored));
  }

  private Restored restored(Ledgerkeep.Builder builder) {
    return pace.run(console(), control -> builder.restoreBackup(restoring().with(control)));
  }

  private Restoring restoring() {
    Restoring restoring = Restoring.from(from).as(mode());
    if (number != null) {
      restoring = restoring.numbered(number);
    }
    if (newConfig != null) {
      MasterKey master = MasterKey.of(newConfig);
      restoring = restoring.under(master.encryptor(), master.options());
    }
    return addArchive ? restoring.addingArchive() : restoring;
  }

  private Mode mode() {
    return rehearse ? Mode.REHEARSE : dryRun ? Mode.PLAN : Mode.RESTORE;
  }

  private Outcome outcome(Restored restored) {
    if (restored.outcome() == Backup.Outcome.CANCELLED) {
      throw CommandException.interrupted(
          NAME + " stopped; there is no ledger yet. Run the same command again to go on");
    }
    String backups =
        restored.backups().stream().map(String::valueOf).collect(Collectors.joining(", "));
    Outcome outcome =
        Outcome.done()
            .say(
                dryRun
                    ? "would restore ledger " + restored.ledgerId() + "; the backups are whole"
                    : "%s: %s ledger %s in %s"
                        .formatted(
                            NAME,
                            rehearse ? "restored, verified and removed" : "restored and verified",
                            restored.ledgerId(),
                            Units.duration(restored.elapsed())));
    BackupCommand.say(outcome, "chain", restored.chainId());
    BackupCommand.say(outcome, "backups", backups);
    BackupCommand.say(outcome, "height", String.valueOf(restored.height()));
    BackupCommand.say(outcome, "archived height", String.valueOf(restored.archivedHeight()));
    if (restored.addedBlocks() > 0) {
      BackupCommand.say(outcome, "added", Units.blocks(restored.addedBlocks()) + " of the archive");
    }
    if (dryRun) {
      BackupCommand.say(outcome, "to read", Units.bytes(restored.bytesRead()));
      BackupCommand.say(outcome, "needed, about", Units.bytes(restored.bytesNeeded()));
    }
    sayOfArchive(outcome, restored);
    return outcome
        .put("job", NAME)
        .put("dryRun", dryRun)
        .put("rehearsal", rehearse)
        .put("chainId", restored.chainId())
        .put("ledgerId", restored.ledgerId())
        .put("backups", restored.backups())
        .put("height", restored.height())
        .put("archivedHeight", restored.archivedHeight())
        .put("uncheckedBlocks", restored.uncheckedBlocks())
        .put("addedBlocks", restored.addedBlocks())
        .put("bytesRead", restored.bytesRead())
        .put("bytesNeeded", restored.bytesNeeded())
        .put("millis", restored.elapsed().toMillis());
  }

  private static void sayOfArchive(Outcome outcome, Restored restored) {
    if (restored.uncheckedBlocks() > 0) {
      outcome.say(
          "%s are in the archive only and were not verified: run ledgerkeep verify with --archive"
              .formatted(Units.blocks(restored.uncheckedBlocks())));
    }
  }
}
