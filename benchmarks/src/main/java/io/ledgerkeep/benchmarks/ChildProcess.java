package io.ledgerkeep.benchmarks;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Runs a main class of this program in a JVM of its own. */
final class ChildProcess {

  private ChildProcess() {}

  /**
   * Runs the class to its end and returns its exit code.
   *
   * @param directory the working directory of the process; also what natives are unpacked to
   */
  static int run(Path directory, Class<?> main, List<String> jvmArguments, List<String> arguments) {
    ImmutableList.Builder<String> command = ImmutableList.builder();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED", "-Djava.io.tmpdir=" + directory);
    command.add("-Dlogback.configurationFile=benchmarks-logback.xml");
    command.addAll(jvmArguments);
    command.add("-cp", System.getProperty("java.class.path"), main.getName());
    command.addAll(arguments);
    try {
      Files.createDirectories(directory);
      return new ProcessBuilder(command.build())
          .directory(directory.toFile())
          .inheritIO()
          .start()
          .waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Runs the class, which has to succeed. */
  static void runWell(
      Path directory, Class<?> main, List<String> jvmArguments, List<String> arguments) {
    int exitCode = run(directory, main, jvmArguments, arguments);
    if (exitCode != 0) {
      throw new IllegalStateException(main.getSimpleName() + " ended with exit code " + exitCode);
    }
  }
}
