package io.ledgerkeep.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a command has to tell: lines for people, fields for programs, and the exit code. */
final class Outcome {

  private final int exitCode;
  private final List<String> lines = new ArrayList<>();
  private final Map<String, Object> fields = new LinkedHashMap<>();

  private Outcome(int exitCode) {
    this.exitCode = exitCode;
  }

  static Outcome done() {
    return new Outcome(ExitCode.DONE);
  }

  static Outcome of(int exitCode) {
    return new Outcome(exitCode);
  }

  Outcome say(String line) {
    lines.add(printable(line));
    return this;
  }

  /** Files and certificates of others have names that would steer a terminal, or fake a line. */
  static String printable(String line) {
    StringBuilder printable = new StringBuilder();
    line.codePoints()
        .forEach(
            c -> {
              if (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT) {
                printable.append("\\u%04x".formatted(c));
              } else {
                printable.appendCodePoint(c);
              }
            });
    return printable.toString();
  }

  Outcome put(String name, Object value) {
    fields.put(name, value);
    return this;
  }

  Outcome putAll(Map<String, Object> values) {
    fields.putAll(values);
    return this;
  }

  int exitCode() {
    return exitCode;
  }

  List<String> lines() {
    return lines;
  }

  Map<String, Object> fields() {
    return fields;
  }
}
