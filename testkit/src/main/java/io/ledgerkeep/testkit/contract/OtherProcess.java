package io.ledgerkeep.testkit.contract;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A second Java process that opens a store: it tells on its standard output how that went, and is
 * killed in the middle of its life.
 */
final class OtherProcess {

  static final String OPENED = "opened";
  static final String REFUSED = "refused";
  static final String WRITTEN = "written";

  private OtherProcess() {}

  /** Opens the store and writes so many pairs of numbers, one after the other; then waits. */
  public static void main(String[] arguments) throws Exception {
    StorageEngineProvider provider =
        Class.forName(arguments[0])
            .asSubclass(StorageEngineProvider.class)
            .getDeclaredConstructor()
            .newInstance();
    Map<String, String> options = new TreeMap<>();
    for (int i = 3; i < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }
    try (StorageEngine engine = provider.open(Path.of(arguments[1]), Options.of(options))) {
      say(OPENED);
      write(engine, Integer.parseInt(arguments[2]));
      say(WRITTEN);
      System.in.read();
    } catch (ConflictException e) {
      say(REFUSED + " " + e.reason());
    }
  }

  private static void write(StorageEngine engine, int count) {
    for (int i = 0; i < count; i++) {
      Durability durability = i % 10 == 0 ? Durability.DURABLE : Durability.BUFFERED;
      engine.write(new WriteBatch().put(Samples.key(i), Samples.value(i)), durability);
    }
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  /**
   * Starts the process, kills it once it has said one of the words, and returns what it said. A
   * kill, not an end: nothing in it is closed in order.
   */
  static List<String> runUntil(
      StorageEngineProvider provider, Options options, Path directory, int count, String word) {
    try {
      Process process = start(provider, options, directory, count);
      try (BufferedReader output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        return readUntil(output, word);
      } finally {
        process.destroyForcibly().waitFor();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for the other process", e);
    }
  }

  private static List<String> readUntil(BufferedReader output, String word) throws IOException {
    List<String> said = new ArrayList<>();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      said.add(line);
      if (line.startsWith(word)) {
        break;
      }
    }
    return said;
  }

  private static Process start(
      StorageEngineProvider provider, Options options, Path directory, int count)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(classPath());
    command.add(OtherProcess.class.getName());
    command.add(provider.getClass().getName());
    command.add(directory.toString());
    command.add(Integer.toString(count));
    new TreeMap<>(options.asMap()).forEach((name, value) -> command.addAll(List.of(name, value)));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  /** Returns everything this process was started with; on the module path that is two lists. */
  private static String classPath() {
    String separator = System.getProperty("path.separator");
    return System.getProperty("java.class.path")
        + separator
        + System.getProperty("jdk.module.path", "");
  }
}
