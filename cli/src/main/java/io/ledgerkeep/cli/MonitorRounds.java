package io.ledgerkeep.cli;

import io.ledgerkeep.cli.monitor.Alert;
import io.ledgerkeep.cli.monitor.Machine;
import io.ledgerkeep.cli.monitor.Monitor;
import io.ledgerkeep.cli.report.Finding;
import io.ledgerkeep.cli.report.Finding.Severity;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Tells what the rounds of a monitor find, and runs the alert command when that changes. */
final class MonitorRounds {

  /** How long Ctrl-C may have to wait. */
  static final Duration STEP = Duration.ofMillis(200);

  private final Path data;
  private final Monitor monitor;
  private final Machine machine;
  private final Console console;
  private final Optional<Alert> alert;
  private Set<String> alerted = Set.of();

  MonitorRounds(
      Path data, Monitor monitor, Machine machine, Console console, Optional<Alert> alert) {
    this.data = data;
    this.monitor = monitor;
    this.machine = machine;
    this.console = console;
    this.alert = alert;
  }

  /** Makes one round. */
  Outcome once() throws InterruptedException {
    String time = machine.now().toString();
    List<Finding> findings = monitor.round().findings();
    Outcome outcome =
        Outcome.of(Finding.worst(findings) == Severity.NOTE ? ExitCode.DONE : ExitCode.FAILED);
    findings.forEach(finding -> outcome.say(line(finding)));
    alert(findings, time);
    return outcome.putAll(fields(findings, time)).put("exitCode", outcome.exitCode());
  }

  /** Makes rounds until somebody wants an end; returns an outcome that is told already. */
  Outcome watch(Duration every, boolean json) throws InterruptedException {
    console.interruption().arm(console);
    int exitCode = ExitCode.DONE;
    while (!console.interruption().requested() && !console.out().checkError()) {
      Instant next = machine.now().plus(every);
      Outcome round = once();
      exitCode = round.exitCode();
      if (json) {
        LedgerCommand.printJson(round.fields(), console.out());
      } else {
        console.out().println("at " + round.fields().get("time"));
        round.lines().forEach(console.out()::println);
      }
      while (!console.interruption().requested() && machine.now().isBefore(next)) {
        machine.pause(STEP);
      }
    }
    return Outcome.of(exitCode);
  }

  private Map<String, Object> fields(List<Finding> findings, String time) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("time", time);
    fields.put("data", data.toString());
    fields.put("findings", findings.stream().map(Finding::json).toList());
    return fields;
  }

  private static String line(Finding finding) {
    String word =
        switch (finding.severity()) {
          case NOTE -> "OK";
          case WARNING -> "WARN";
          case WRONG -> "FAIL";
        };
    return "%s %s: %s".formatted(word, finding.subject(), finding.what());
  }

  /** Words change with every number in them, so a change is one of what is wrong and how badly. */
  private void alert(List<Finding> findings, String time) throws InterruptedException {
    List<Finding> bad =
        findings.stream().filter(finding -> finding.severity() != Severity.NOTE).toList();
    Set<String> now = new TreeSet<>();
    bad.forEach(finding -> now.add(finding.severity() + " " + finding.subject()));
    if (alert.isEmpty() || now.equals(alerted)) {
      return;
    }
    Optional<String> trouble = alert.get().run(Json.bytes(fields(bad, time)));
    if (trouble.isEmpty()) {
      alerted = now;
    } else {
      console.err().println("the alert command " + trouble.get());
    }
  }
}
