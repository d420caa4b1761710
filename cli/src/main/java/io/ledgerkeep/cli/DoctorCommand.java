package io.ledgerkeep.cli;

import io.ledgerkeep.Database;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Ledgerkeep.Diagnosis;
import io.ledgerkeep.Ledgerkeep.Diagnosis.ArchiveCoverage;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Finding;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Heights;
import io.ledgerkeep.Ledgerkeep.Diagnosis.Severity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "doctor",
    description = {
      "Examines the ledger of --data, also one that does not open: its databases, archive and files"
          + " one by one.",
      "Works on a copy, with large files shared by links, and changes nothing; names what is wrong"
          + " and the command that repairs it.",
      "The exit code is 4 if something is damaged, 1 if something is left to do or could not be"
          + " looked at, else 0."
    })
final class DoctorCommand extends LedgerCommand {

  @Option(
      names = "--full",
      description = "Read every body and every value; without it a sample of them.")
  private boolean full;

  @Option(
      names = "--fix",
      description =
          "Repair what can be repaired without losing anything; what is replaced is kept.")
  private boolean fix;

  @Option(
      names = "--dry-run",
      description = "Change nothing, also with --fix: show what that would do.")
  private boolean dryRun;

  @Override
  Outcome run(Settings settings) {
    Diagnosis found = OpenLedger.withThreads(settings.ledger(), this::examine);
    if (found.cancelled()) {
      throw CommandException.interrupted("stopped; run the same command again");
    }
    Outcome outcome = Outcome.of(exitCode(found.worst()));
    tell(outcome, found, new RepairCommand(settings));
    return outcome.put("exitCode", outcome.exitCode());
  }

  private Diagnosis examine(Ledgerkeep.Builder builder) {
    try (JobWatch watch = JobWatch.begin(console())) {
      return builder.examine(new Diagnosis.Request(full, fix && !dryRun, watch.control()));
    }
  }

  private static int exitCode(Severity worst) {
    return switch (worst) {
      case NOTE -> ExitCode.DONE;
      case UNFINISHED, UNSEEN -> ExitCode.FAILED;
      case DAMAGE -> ExitCode.INTEGRITY;
    };
  }

  // ------------------------------------------------------------------------------------ tell

  private void tell(Outcome outcome, Diagnosis found, RepairCommand repair) {
    tellHeights(outcome, found);
    found.archive().ifPresent(archive -> tell(outcome, archive));
    tell(outcome, "coherent height", "coherentHeight", found.coherentHeight());
    if (!found.missing().isEmpty()) {
      say(outcome, "missing", heights(found.missing()));
    }
    outcome.put("missing", found.missing().stream().map(DoctorCommand::json).toList());
    say(
        outcome,
        "bodies read",
        Units.blocks(found.checkedBlocks()) + (full ? "" : "; --full reads all"));
    outcome.put("checkedBlocks", found.checkedBlocks()).put("full", full);
    found.fixed().forEach(what -> outcome.say("repaired: " + what));
    outcome.put("fixed", found.fixed());
    List<Map<String, Object>> findings = new ArrayList<>();
    for (Finding finding : found.findings()) {
      List<String> commands = repair.of(finding);
      findings.add(json(finding, commands));
      outcome.say("%s: %s: %s".formatted(name(finding), finding.part(), finding.what()));
      commands.forEach(command -> outcome.say("  " + command));
    }
    outcome.put("findings", findings).put("ok", found.worst() == Severity.NOTE);
    outcome.say(verdict(found));
  }

  private static void tellHeights(Outcome outcome, Diagnosis found) {
    Map<String, Long> heights = new LinkedHashMap<>();
    for (Database database : Database.values()) {
      Long height = found.heights().get(database);
      if (height != null) {
        heights.put(database.lowerCaseName(), height);
      }
    }
    say(
        outcome,
        "heights",
        heights.entrySet().stream()
            .map(height -> height.getKey() + " " + height.getValue())
            .collect(Collectors.joining(", ")));
    outcome.put("heights", heights);
    tell(outcome, "derived through", "derivedThrough", found.derivedThrough());
    tell(outcome, "archived height", "archivedHeight", found.archivedHeight());
  }

  private static void tell(Outcome outcome, String words, String name, OptionalLong value) {
    if (value.isPresent()) {
      say(outcome, words, String.valueOf(value.getAsLong()));
      outcome.put(name, value.getAsLong());
    }
  }

  private static void tell(Outcome outcome, ArchiveCoverage archive) {
    say(
        outcome,
        "archive",
        "%s, blocks %s%s"
            .formatted(
                Units.counted(archive.segments(), "segment"),
                heights(archive.blocks()),
                archive.retiredSegments() == 0
                    ? ""
                    : ", " + Units.counted(archive.retiredSegments(), "retired segment")));
    outcome
        .put("archivePlace", archive.place())
        .put("segments", archive.segments())
        .put("retiredSegments", archive.retiredSegments())
        .put("archivedBlocks", archive.blocks().stream().map(DoctorCommand::json).toList());
  }

  private static String heights(List<Heights> ranges) {
    return ranges.stream()
        .map(
            range ->
                range.first() == range.last()
                    ? String.valueOf(range.first())
                    : range.first() + " to " + range.last())
        .collect(Collectors.joining(", "));
  }

  private static Map<String, Object> json(Heights range) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("first", range.first());
    json.put("last", range.last());
    return json;
  }

  private static Map<String, Object> json(Finding finding, List<String> commands) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("severity", name(finding));
    json.put("part", finding.part());
    json.put("what", finding.what());
    json.put("fix", finding.remedy().isFix());
    json.put("paths", finding.remedy().paths().stream().map(Path::toString).toList());
    json.put("commands", commands);
    return json;
  }

  private static String name(Finding finding) {
    return finding.severity().name().toLowerCase(Locale.ROOT);
  }

  private static String verdict(Diagnosis found) {
    long fixes = found.findings().stream().filter(finding -> finding.remedy().isFix()).count();
    String verdict =
        switch (found.worst()) {
          case NOTE -> "nothing is wrong";
          case UNFINISHED -> "no damage; something is left to do";
          case UNSEEN -> "no damage where it could be looked at";
          case DAMAGE -> "damaged";
        };
    return fixes == 0 ? verdict : verdict + "; doctor --fix does what loses nothing";
  }

  private static void say(Outcome outcome, String name, String value) {
    outcome.say("%-17s%s".formatted(name, value));
  }
}
