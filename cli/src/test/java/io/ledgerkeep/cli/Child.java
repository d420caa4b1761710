package io.ledgerkeep.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The command line in a process of its own. Killed on close, if it still runs. */
final class Child implements AutoCloseable {

  /** For a process that does little before it ends. */
  static final List<String> SHORT_LIVED =
      List.of(
          "-Xshare:auto",
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "-XX:ErrorFile=" + System.getProperty("java.io.tmpdir") + "/hs_err_%p.log");

  private final Process process;
  private final BufferedReader err;

  private Child(Process process) {
    this.process = process;
    this.err = process.errorReader();
  }

  static Child start(List<String> javaOptions, Object... args) throws IOException {
    return of(java(javaOptions, Main.class, args));
  }

  static Child of(List<String> command) throws IOException {
    List<String> listening = new ArrayList<>(hearingSignals());
    listening.addAll(command);
    return new Child(new ProcessBuilder(listening).start());
  }

  /**
   * A shell that runs a build in the background lets it ignore Ctrl-C, and all it starts; where env
   * can undo that, the child hears of it all the same.
   */
  private static List<String> hearingSignals() throws IOException {
    List<String> prefix = List.of("env", "--default-signal=INT");
    List<String> probe = new ArrayList<>(prefix);
    probe.add("true");
    try {
      boolean works = new ProcessBuilder(probe).start().waitFor() == 0;
      return works ? prefix : List.of();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** Returns the command that runs a class with the class path of the tests. */
  static List<String> java(List<String> javaOptions, Class<?> main, Object... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED"); // as the script does
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(javaOptions);
    command.add(main.getName());
    Arrays.stream(args).map(Object::toString).forEach(command::add);
    return command;
  }

  OutputStream in() {
    return process.getOutputStream();
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for a line of standard error that has the text, and returns it. */
  String awaitLine(String text) throws IOException {
    for (String line = err.readLine(); line != null; line = err.readLine()) {
      if (line.contains(text)) {
        return line;
      }
    }
    throw new AssertionError("standard error ended without '" + text + "'");
  }

  void signal(String name) throws IOException, InterruptedException {
    int exitCode =
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
    if (exitCode != 0) {
      throw new AssertionError("kill failed");
    }
  }

  byte[] out() throws IOException {
    return process.getInputStream().readAllBytes();
  }

  /**
   * Returns the next line of standard output, or null at its end; not to be mixed with the above.
   */
  @Nullable String outLine() throws IOException {
    return process.inputReader().readLine();
  }

  /** Returns whether something was written to standard output that is not read yet. */
  boolean hasOut() throws IOException {
    return process.inputReader().ready();
  }

  /** Waits for the end; an exit by a signal is 128 and its number, as in a shell. */
  Run finish() throws IOException, InterruptedException {
    CompletableFuture<String> told =
        CompletableFuture.supplyAsync(() -> err.lines().collect(Collectors.joining("\n")));
    String said = new String(out(), StandardCharsets.UTF_8);
    return new Run(awaitExit(), said, told.join());
  }

  int awaitExit() throws InterruptedException {
    return process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
