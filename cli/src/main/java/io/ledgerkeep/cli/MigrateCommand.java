package io.ledgerkeep.cli;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Migration;
import io.ledgerkeep.Migration.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "migrate",
    description = {
      "Brings a ledger, or one of its databases, to another directory, another engine, or both.",
      "All rows are copied, an encrypted ledger's as they lie there; a digest over all of them is"
          + " compared; then the ledger switches in one step. It keeps its identity, its keys and"
          + " its archive. The originals stay until you remove them."
    })
final class MigrateCommand extends LedgerCommand {

  private static final String NAME = "migrate";

  @Option(
      names = "--database",
      paramLabel = "block|state|history",
      description = "The one database to bring elsewhere; the whole ledger otherwise.")
  private @Nullable Database database;

  @Option(
      names = "--to",
      paramLabel = "DIR",
      description =
          "The new directory of the ledger, or of the one database: absent or empty, in one that is"
              + " there. Without it directories beside the originals are chosen.")
  private @Nullable Path to;

  @Option(
      names = "--provider",
      paramLabel = "leveldb|badgerdb",
      description = "The new engine; the same as now otherwise.")
  private @Nullable String provider;

  @Option(
      names = "--remove-source",
      description = "Remove the originals once the ledger was switched and opened.")
  private boolean removeSource;

  @Mixin private final Pace pace = new Pace();

  @Mixin private final Consent consent = new Consent();

  @Override
  Outcome run(Settings settings) throws IOException {
    pace.check();
    Migration migration = migration(settings);
    if (consent.wantsPlan()) {
      Report plan =
          OpenLedger.withThreads(
              settings.ledgerToMigrate(provider), of -> of.migrate(migration.asDryRun()));
      if (consent.dryRun() || plan.outcome() == Migration.Outcome.NOTHING_TO_DO) {
        return outcome(plan);
      }
      consent.ask(console(), outcome(plan));
    }
    return outcome(
        OpenLedger.withThreads(settings.ledgerToMigrate(provider), of -> migrate(of, migration)));
  }

  private Migration migration(Settings settings) {
    Migration migration = database == null ? Migration.ofLedger() : Migration.of(database);
    if (to != null) {
      migration = migration.toDirectory(to);
    }
    if (provider != null) {
      migration = migration.onEngine(provider, settings.engineOptions(provider));
    }
    if (to == null && provider == null) {
      throw CommandException.usage("say where to: --to DIR, --provider ENGINE, or both");
    }
    return removeSource ? migration.removingSource() : migration;
  }

  private Report migrate(Ledgerkeep.Builder builder, Migration migration) {
    return pace.run(console(), control -> builder.migrate(migration.with(control)));
  }

  private Outcome outcome(Report report) {
    Outcome outcome = Outcome.done();
    switch (report.outcome()) {
      case NOTHING_TO_DO -> outcome.say("nothing to migrate: the ledger is there");
      case PLANNED -> sayPlan(outcome, report);
      case DONE -> sayDone(outcome, report);
      case CANCELLED ->
          throw CommandException.interrupted(
              NAME + " stopped; the ledger is as it was. Run the same command again to go on");
    }
    return outcome
        .put("job", NAME)
        .put("dryRun", consent.dryRun())
        .put("changed", report.outcome() == Migration.Outcome.DONE)
        .put("ledgerId", report.ledgerId())
        .put("directory", report.directory().toString())
        .put("places", byName(report.places(), Path::toString))
        .put("rows", report.rows())
        .put("bytes", report.bytes())
        .put("bytesNeeded", report.bytesNeeded())
        .put("contentDigests", byName(report.contentDigests(), Bytes::hex))
        .put("backup", report.backup().map(Path::toString).orElse(""))
        .put("originals", report.originals().stream().map(Path::toString).toList())
        .put("millis", report.elapsed().toMillis());
  }

  private static void sayPlan(Outcome outcome, Report plan) {
    outcome.say("would migrate ledger " + plan.ledgerId());
    byName(plan.places(), Path::toString).forEach((name, place) -> say(outcome, name, place));
    say(outcome, "needed, about", Units.bytes(plan.bytesNeeded()));
  }

  private void sayDone(Outcome outcome, Report report) {
    outcome.say(
        "%s: copied %s rows, %s, in %s; the ledger is switched"
            .formatted(
                NAME,
                report.rows(),
                Units.bytes(report.bytes()),
                Units.duration(report.elapsed())));
    byName(report.places(), Path::toString).forEach((name, place) -> say(outcome, name, place));
    if (!report.contentDigests().isEmpty()) {
      outcome.say("Content digests, the same of the originals and of what took their place:");
      byName(report.contentDigests(), Bytes::hex)
          .forEach((name, digest) -> say(outcome, name, digest));
    }
    sayWhatToChange(outcome, report);
    if (report.originals().isEmpty()) {
      outcome.say("The originals were removed.");
    } else {
      outcome
          .say("The originals stay until you remove them:")
          .say(TdeConvertCommand.remove(report.originals()));
    }
  }

  private void sayWhatToChange(Outcome outcome, Report report) {
    if (database == null && to != null) {
      outcome.say(
          "From now on: --data %s (store_path). The old directory is refused."
              .formatted(report.directory()));
    }
    if (provider != null) {
      String key = database == null ? "" : database.lowerCaseName() + "db_config: ";
      outcome.say("In the configuration from now on: %sprovider: %s".formatted(key, provider));
    }
  }

  private static <T> Map<String, String> byName(
      Map<Database, T> values, Function<T, String> shown) {
    Map<String, String> named = new LinkedHashMap<>();
    for (Database each : Database.values()) {
      T value = values.get(each);
      if (value != null) {
        named.put(each.lowerCaseName(), shown.apply(value));
      }
    }
    return named;
  }

  private static void say(Outcome outcome, String name, String value) {
    outcome.say("  %-17s%s".formatted(name, value));
  }
}
