package io.ledgerkeep.cli;

import io.ledgerkeep.logback.LedgerLogs;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What all commands share: the options before them, and how they tell what they did. */
abstract class LedgerCommand implements Callable<Integer> {

  @Spec
  @SuppressWarnings("NullAway.Init") // set by picocli before the call
  private CommandSpec spec;

  /** Does the work. An outcome without fields prints nothing: the command has printed already. */
  abstract Outcome run(Settings settings) throws Exception;

  @Override
  public final Integer call() throws Exception {
    Settings settings = readsConfiguration() ? Settings.of(options()) : Settings.none();
    try (LedgerLogs logs = settings.logs().open(options(), LogSettings.EVERY)) {
      return tell(run(settings));
    }
  }

  private int tell(Outcome outcome) {
    if (!outcome.fields().isEmpty() && json()) {
      printJson(outcome.fields(), console().out());
    } else if (!json()) {
      outcome.lines().forEach(console().out()::println);
    }
    return outcome.exitCode();
  }

  /** Returns whether the file of --config is read before the command runs. */
  boolean readsConfiguration() {
    return true;
  }

  final Optional<Path> config() {
    return Optional.ofNullable(options().config);
  }

  private GlobalOptions options() {
    return (GlobalOptions) spec.root().userObject();
  }

  final Console console() {
    return options().console;
  }

  final boolean json() {
    return options().json;
  }

  static long requireNotNegative(String option, long value) {
    if (value < 0) {
      throw CommandException.usage(option + " must not be negative");
    }
    return value;
  }

  static void printJson(Map<String, ?> object, PrintStream out) {
    out.writeBytes(Json.bytes(object));
    out.println();
  }
}
