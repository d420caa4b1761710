package io.ledgerkeep.badger;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A Java process on the class path of this one. */
final class OtherJvm implements AutoCloseable {

  private final Process process;
  private final BufferedReader output;

  private OtherJvm(Process process) {
    this.process = process;
    this.output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  static OtherJvm start(List<String> options, Class<?> main, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Newer Java warns on the output about a library that loads native code unannounced.
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return new OtherJvm(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  /** Returns the next line it prints, or null once it has ended. */
  String line() throws IOException {
    String line = output.readLine();
    while (line != null && line.startsWith("SLF4J")) {
      line = output.readLine();
    }
    return line;
  }

  long pid() {
    return process.pid();
  }

  /** Ends it at once: nothing in it is closed in order. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() throws Exception {
    kill();
    output.close();
  }
}
