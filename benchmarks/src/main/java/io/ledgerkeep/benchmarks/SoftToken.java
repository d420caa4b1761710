package io.ledgerkeep.benchmarks;

import com.sun.jna.NativeLibrary;
import io.ledgerkeep.Options;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * SoftHSM2 with one token in the workspace of this process, and a key of AES-256 in it that never
 * leaves it. Its library reads the environment when the process first calls it, so there is one of
 * these in a process.
 */
final class SoftToken {

  private static final String CONFIGURATION = "SOFTHSM2_CONF";
  private static final String LABEL = "benchmark";
  private static final String KEY = "master";
  private static final String PIN = "2468-benchmark";

  private static final List<String> LIBRARIES =
      List.of(
          "usr/lib/softhsm/libsofthsm2.so",
          "usr/lib64/pkcs11/libsofthsm2.so",
          "usr/lib64/softhsm/libsofthsm2.so",
          "usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
          "usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
          "usr/local/lib/softhsm/libsofthsm2.so",
          "opt/homebrew/lib/softhsm/libsofthsm2.so");

  private final Path library;
  private final BareToken bare;

  private SoftToken(Path library, BareToken bare) {
    this.library = library;
    this.bare = bare;
  }

  /** Sets up the token; returns nothing, and says so, where there is no SoftHSM2. */
  static Optional<SoftToken> ofThisProcess() throws IOException {
    Optional<Path> library = library();
    Optional<Path> utility = utility();
    if (library.isEmpty() || utility.isEmpty()) {
      System.err.println("  not measured: no SoftHSM2 here; run ./check, or install softhsm2");
      return Optional.empty();
    }
    Path configuration = configuration(Workspace.ofThisProcess());
    makeToken(utility.get(), library.get(), configuration);
    setEnvironment(CONFIGURATION, configuration.toString());
    BareToken bare = BareToken.open(library.get(), LABEL, PIN, KEY);
    return Optional.of(new SoftToken(library.get(), bare));
  }

  private static Optional<Path> library() {
    return Stream.of(Path.of("/"), unpacked())
        .flatMap(root -> LIBRARIES.stream().map(root::resolve))
        .filter(Files::exists)
        .findFirst();
  }

  private static Optional<Path> utility() {
    Stream<Path> onPath =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)).map(Path::of);
    return Stream.concat(onPath, Stream.of(unpacked().resolve("usr/bin")))
        .map(folder -> folder.resolve("softhsm2-util"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Returns where {@code ./check} puts what it may not install. */
  private static Path unpacked() {
    return Benchmarks.home().resolveSibling("target").resolve("tools");
  }

  /** Writes the configuration of a SoftHSM2 whose tokens lie in the workspace. */
  private static Path configuration(Workspace workspace) throws IOException {
    Path tokens = Files.createDirectories(workspace.path("tokens"));
    return Files.writeString(
        workspace.path("softhsm2.conf"),
        """
        directories.tokendir = %s
        objectstore.backend = file
        log.level = ERROR
        slots.removable = false
        """
            .formatted(tokens));
  }

  private static void makeToken(Path utility, Path library, Path configuration) throws IOException {
    List<String> command = new ArrayList<>(List.of(utility.toString()));
    command.addAll(List.of("--module", library.toString(), "--init-token", "--free"));
    command.addAll(List.of("--label", LABEL, "--pin", PIN, "--so-pin", PIN));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put(CONFIGURATION, configuration.toString());
    try {
      Process process = builder.start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException("softhsm2-util failed: " + said.strip());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Java cannot change its own environment; what a library reads with getenv is the C one. */
  private static void setEnvironment(String name, String value) {
    Object[] arguments = {name, value, 1};
    if (NativeLibrary.getProcess().getFunction("setenv").invokeInt(arguments) != 0) {
      throw new IllegalStateException("the environment cannot be changed");
    }
  }

  /** Opens so many sessions for bare calls of the token, under the same key. */
  BareToken.Sessions sessions(int count) {
    return bare.sessions(count);
  }

  /** Returns the options of a master key in this token. */
  Options options(String mode, String route, int sessions) {
    return Options.of("encryptor", "aes", "library", library.toString())
        .with("label", LABEL)
        .with("password", PIN)
        .with("key", KEY)
        .with("mode", mode)
        .with("route", route)
        .with("session_cache_size", Integer.toString(sessions));
  }
}
