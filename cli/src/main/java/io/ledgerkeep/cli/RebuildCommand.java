package io.ledgerkeep.cli;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Rebuilder.Plan;
import io.ledgerkeep.Rebuilder.Report;
import io.ledgerkeep.Rebuilder.Request;
import io.ledgerkeep.Rebuilder.RollBack;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "rebuild-dbs",
    description = {
      "Makes state, history and indexes anew from the block database; archived blocks are read from"
          + " the archive.",
      "State and history are built beside the originals, which may be damaged or gone, and compared"
          + " with the blocks; then the ledger switches to them in one step. The originals stay"
          + " until you remove them.",
      "The first bad block is named, and the exit code is 4; nothing was changed then.",
      "A height below the newest rolls the ledger back to it: the blocks above are written into a"
          + " backup, then taken away in one step. Others can be committed in their place."
    })
final class RebuildCommand extends LedgerCommand {

  private static final String NAME = "rebuild-dbs";

  @Option(
      names = "--chain-id",
      paramLabel = "ID",
      description = "The name of the chain; that of the ledger has to be the same.")
  private @Nullable String chainId;

  @Option(
      names = "--height",
      paramLabel = "H",
      description =
          "Up to which height; below the newest, that is a roll back. 0 is all. Without it:"
              + " rebuild_block_height of the configuration, or all.")
  private @Nullable Long height;

  @Option(
      names = "--need-verify",
      paramLabel = "true|false",
      arity = "0..1",
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "Whether every block is verified: hash links and recorded digests. Seals and checksums"
              + " are checked anyway.")
  private boolean needVerify;

  @Mixin private final Pace pace = new Pace();

  @Mixin private final Consent consent = new Consent();

  @Override
  Outcome run(Settings settings) throws IOException {
    pace.check();
    Request request = request(height == null ? settings.rebuildHeight() : chosenHeight(height));
    if (consent.wantsPlan()) {
      Plan plan = OpenLedger.withThreads(builder(settings), of -> of.rebuilder().plan(request));
      if (consent.dryRun()) {
        return outcome(plan);
      }
      consent.ask(console(), outcome(plan));
    }
    Report report = OpenLedger.withThreads(builder(settings), of -> rebuild(of, request));
    return outcome(report, settings);
  }

  private static OptionalLong chosenHeight(long height) {
    if (height < 0) {
      throw CommandException.usage("--height must not be negative");
    }
    return height == 0 ? OptionalLong.empty() : OptionalLong.of(height);
  }

  private Request request(OptionalLong height) {
    Request request = height.isPresent() ? Request.upTo(height.getAsLong()) : Request.all();
    return needVerify ? request : request.withoutVerification();
  }

  private Ledgerkeep.Builder builder(Settings settings) {
    Ledgerkeep.Builder builder = settings.ledger();
    return chainId == null ? builder : builder.chainId(chainId);
  }

  private Report rebuild(Ledgerkeep.Builder builder, Request request) {
    return pace.run(console(), control -> builder.rebuilder().rebuild(request.with(control)));
  }

  private Outcome outcome(Plan plan) {
    long needed = plan.bytesNeeded().values().stream().mapToLong(Long::longValue).sum();
    Outcome outcome =
        plan.rollBack().isPresent()
            ? wouldRollBack(plan.rollBack().get())
            : Outcome.done()
                .say("would rebuild state, history and indexes of " + Units.blocks(plan.blocks()));
    say(outcome, "from the archive", Units.blocks(plan.archivedBlocks()));
    say(outcome, "to read", Units.bytes(plan.bytesToRead()));
    say(outcome, "needed, about", Units.bytes(needed));
    return outcome
        .put("job", NAME)
        .put("dryRun", true)
        .put("height", plan.height())
        .put("blocks", plan.blocks())
        .put("archivedBlocks", plan.archivedBlocks())
        .put("bytesToRead", plan.bytesToRead())
        .put("bytesNeeded", needed);
  }

  private static Outcome wouldRollBack(RollBack rollBack) {
    Outcome outcome =
        Outcome.done()
            .say(
                "would roll back from height %s to %s and take away %s, after a backup of them"
                    .formatted(
                        rollBack.heightBefore(),
                        rollBack.height(),
                        Units.blocks(rollBack.blocks())));
    return put(outcome, rollBack);
  }

  private static Outcome put(Outcome outcome, RollBack rollBack) {
    say(
        outcome,
        "archived height",
        rollBack.archivedHeightBefore() == rollBack.archivedHeight()
            ? rollBack.archivedHeight() + ", as it was"
            : rollBack.archivedHeight() + ", was " + rollBack.archivedHeightBefore());
    say(outcome, "restored", Units.blocks(rollBack.restoredBlocks()));
    return outcome
        .put("heightBefore", rollBack.heightBefore())
        .put("removedBlocks", rollBack.blocks())
        .put("archivedHeightBefore", rollBack.archivedHeightBefore())
        .put("archivedHeight", rollBack.archivedHeight())
        .put("restoredBlocks", rollBack.restoredBlocks());
  }

  private static Outcome outcome(Report report, Settings settings) {
    if (report.cancelled()) {
      throw CommandException.interrupted(
          NAME + " stopped; the ledger is as it was. Run the same command again to go on");
    }
    return report
        .rollBack()
        .map(rollBack -> outcome(report, rollBack, settings))
        .orElseGet(() -> outcome(report));
  }

  private static Outcome outcome(Report report, RollBack rollBack, Settings settings) {
    String backup = report.backup().map(Path::toString).orElse("");
    Outcome outcome =
        Outcome.done()
            .say(
                "%s: rolled back from height %s to %s in %s; %s taken away"
                    .formatted(
                        NAME,
                        rollBack.heightBefore(),
                        rollBack.height(),
                        Units.duration(report.elapsed()),
                        Units.blocks(rollBack.blocks())));
    put(outcome, rollBack);
    say(outcome, "backup", backup);
    return outcome
        .say("The backup is an archive of these blocks. This commits them again:")
        .say(
            "  ledgerkeep --archive %s export - | ledgerkeep --data %s import -"
                .formatted(
                    TdeConvertCommand.quoted(backup),
                    TdeConvertCommand.quoted(settings.data().toString())))
        .say("It stays until you remove it:")
        .say(TdeConvertCommand.remove(report.originals()))
        .put("job", NAME)
        .put("dryRun", false)
        .put("height", report.height())
        .put("backup", backup)
        .put("originals", report.originals().stream().map(Path::toString).toList())
        .put("millis", report.elapsed().toMillis());
  }

  private static Outcome outcome(Report report) {
    Outcome outcome =
        Outcome.done()
            .say(
                "%s: replayed %s in %s; state and history are made anew"
                    .formatted(
                        NAME, Units.blocks(report.blocks()), Units.duration(report.elapsed())));
    say(outcome, "height", String.valueOf(report.height()));
    say(outcome, "from the archive", Units.blocks(report.archivedBlocks()));
    say(outcome, "index entries", report.indexEntries() + " put right");
    report.backup().ifPresent(path -> say(outcome, "backup", path.toString()));
    return outcome
        .say("The originals stay until you remove them:")
        .say(TdeConvertCommand.remove(report.originals()))
        .put("job", NAME)
        .put("dryRun", false)
        .put("height", report.height())
        .put("blocks", report.blocks())
        .put("archivedBlocks", report.archivedBlocks())
        .put("indexEntries", report.indexEntries())
        .put("backup", report.backup().map(Path::toString).orElse(""))
        .put("originals", report.originals().stream().map(Path::toString).toList())
        .put("millis", report.elapsed().toMillis());
  }

  private static void say(Outcome outcome, String name, String value) {
    outcome.say("  %-17s%s".formatted(name, value));
  }
}
