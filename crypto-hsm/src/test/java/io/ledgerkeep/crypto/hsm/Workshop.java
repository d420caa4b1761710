package io.ledgerkeep.crypto.hsm;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds, builds and runs what the tests of tokens need from outside of Java. */
final class Workshop {

  private Workshop() {}

  /** Returns the folder of this module, whoever runs the tests, also those of another module. */
  static Path module() {
    Path here = Path.of("").toAbsolutePath();
    return Stream.of(here, here.resolve("crypto-hsm"), here.resolveSibling("crypto-hsm"))
        .filter(folder -> Files.isDirectory(folder.resolve("src/test/c")))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("not in a module of the project: " + here));
  }

  /** Returns what {@code ./check} unpacked where it may not install. */
  static Path unpacked() {
    return module().resolveSibling("target").resolve("tools");
  }

  /** Returns the command of that name, on the path or among what was unpacked. */
  static Optional<Path> command(String name) {
    Stream<Path> onPath =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)).map(Path::of);
    return Stream.concat(onPath, Stream.of(unpacked().resolve("usr/bin")))
        .map(folder -> folder.resolve(name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Builds the module for tests, unless it is newer than its sources; skips the test, loudly, where
   * there is nothing to build it with.
   */
  static Path testModule() {
    Path sources = module().resolve("src/test/c");
    Path library = module().resolve("target/" + System.mapLibraryName("testtoken"));
    if (!isNewer(library, sources)) {
      Result built = run(Map.of(), sources.resolve("build").toString(), library.toString());
      if (built.status() != 0) {
        abort("no token with SM4 to test with; run ./check, or: " + built.output().strip());
      }
    }
    return library;
  }

  private static boolean isNewer(Path library, Path sources) {
    try (Stream<Path> files = Files.list(sources)) {
      Optional<FileTime> newest = files.map(Workshop::modified).max(Comparator.naturalOrder());
      return Files.exists(library) && modified(library).compareTo(newest.orElseThrow()) > 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static FileTime modified(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a command said and returned. */
  record Result(int status, String output) {}

  /** Runs a command to its end, with more in its environment. */
  static Result run(Map<String, String> environment, String... command) {
    try {
      ProcessBuilder builder = new ProcessBuilder(List.of(command)).redirectErrorStream(true);
      builder.environment().putAll(environment);
      Process process = builder.start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a command ran", e);
    }
  }
}
