package io.ledgerkeep.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * What one run of the command line gave.
 *
 * @param exitCode what the shell would see
 * @param out standard output
 * @param err standard error
 */
record Run(int exitCode, String out, String err) {

  static Run of(Object... args) {
    return with("", false, Interruption.byRequest(), args);
  }

  /** Runs as if a person sat at a terminal and typed the answer. */
  static Run answering(String answer, Object... args) {
    return with(answer, true, Interruption.byRequest(), args);
  }

  /** Runs in a process of its own: what ends that does not end the tests. */
  static Run apart(Object... args) throws IOException, InterruptedException {
    try (Child child = Child.start(Child.SHORT_LIVED, args)) {
      return child.finish();
    }
  }

  static Run reading(String in, Object... args) {
    return with(in, false, Interruption.byRequest(), args);
  }

  /** Runs as if Ctrl-C had been pressed already. */
  static Run interrupted(Object... args) {
    Interruption interruption = Interruption.byRequest();
    interruption.request();
    return with("", false, interruption, args);
  }

  private static Run with(String in, boolean terminal, Interruption interruption, Object... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    String[] texts = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      texts[i] = args[i].toString();
    }
    Console console =
        new Console(
            new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8),
            terminal,
            interruption);
    int exitCode = Main.run(texts, console);
    return new Run(
        exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** Returns standard output as the one JSON object that it has to be. */
  Map<String, Object> json() {
    try {
      return Json.object(out.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("not one JSON object: " + out, e);
    }
  }
}
