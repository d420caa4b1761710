package io.ledgerkeep.cli.monitor;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A command of the user's, run by the shell, that is told of findings. */
public final class Alert {

  private final String command;
  private final Duration limit;

  /**
   * Makes one.
   *
   * @param command for the shell
   * @param limit how long it may take
   */
  public Alert(String command, Duration limit) {
    this.command = command;
    this.limit = limit;
  }

  /** Runs the command with the text on its standard input; returns what went wrong, in words. */
  public Optional<String> run(byte[] text) throws InterruptedException {
    Process process;
    try {
      process =
          new ProcessBuilder("/bin/sh", "-c", command)
              .redirectOutput(Redirect.DISCARD)
              .redirectError(Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      return Optional.of("cannot be run: " + e.getMessage());
    }
    try {
      feed(process, text);
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        return Optional.of("took longer than " + limit.toSeconds() + " s and was ended");
      }
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    int exitCode = process.exitValue();
    return exitCode == 0 ? Optional.empty() : Optional.of("ended with exit code " + exitCode);
  }

  /** Writes beside the waiting: a command that does not read would stop the writer for ever. */
  private static void feed(Process process, byte[] text) {
    Thread writer =
        new Thread(
            () -> {
              try (OutputStream in = process.getOutputStream()) {
                in.write(text);
                in.write('\n'); // so that a file of several alerts has a line for each
              } catch (IOException e) {
                // It ended without reading all, which is its own affair.
              }
            },
            "alert");
    writer.setDaemon(true);
    writer.start();
  }
}
