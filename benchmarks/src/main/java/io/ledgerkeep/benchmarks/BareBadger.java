package io.ledgerkeep.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A Badger in a process of its own with nothing around it: {@code
 * impl-badger/server/cmd/badger-bare}, which tells how long each piece of work took.
 */
final class BareBadger implements AutoCloseable {

  private static final double NANOS_PER_SECOND = 1e9;

  private final Process process;
  private final BufferedReader answers;

  private BareBadger(Process process) {
    this.process = process;
    this.answers = process.inputReader(StandardCharsets.US_ASCII);
  }

  /** Builds and starts it; returns nothing, and says so, where there is no Go. */
  static Optional<BareBadger> start(Workspace workspace) throws IOException {
    Path server = Benchmarks.home().resolveSibling("impl-badger").resolve("server");
    Path binary = workspace.path("badger-bare");
    if (!runs(server, List.of("go", "version")) || !runs(server, List.of("./correct"))) {
      System.err.println("  not measured: no Go here");
      return Optional.empty();
    }
    List<String> build = new ArrayList<>(List.of("go", "build", "-o", binary.toString()));
    build.addAll(List.of("-tags", "badger_corrected", "-modfile", ".corrected/go.mod"));
    build.add("./cmd/badger-bare");
    if (!runs(server, build)) {
      throw new IllegalStateException("badger-bare cannot be built");
    }
    return Optional.of(
        new BareBadger(
            new ProcessBuilder(binary.toString(), workspace.path("bare").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()));
  }

  private static boolean runs(Path directory, List<String> command) {
    try {
      return new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Does a piece of work, such as {@code get 100}, and returns the seconds that it took. */
  double seconds(String work) {
    try {
      process.outputWriter(StandardCharsets.US_ASCII).append(work).append('\n').flush();
      String answer = answers.readLine();
      if (answer == null) {
        throw new IllegalStateException("badger-bare ended at: " + work);
      }
      return Long.parseLong(answer) / NANOS_PER_SECOND;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    process.outputWriter(StandardCharsets.US_ASCII).close();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
