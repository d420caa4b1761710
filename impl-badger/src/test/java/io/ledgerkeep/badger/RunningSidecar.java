package io.ledgerkeep.badger;

import io.ledgerkeep.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A sidecar that runs already when an engine connects to it. */
final class RunningSidecar implements AutoCloseable {

  private final Process process;
  private final SidecarOutput output;

  private RunningSidecar(Process process) {
    this.process = process;
    this.output = SidecarOutput.of(process);
    if (!output.awaitReady()) {
      throw new AssertionError("the sidecar did not start: " + output.end(process));
    }
  }

  /** Starts one that serves the folder on a socket beside it. */
  static RunningSidecar onSocket(Path root) throws IOException {
    return start(root, "--socket", socket(root).toString());
  }

  static RunningSidecar start(Path root, String... arguments) throws IOException {
    Files.createDirectories(root);
    List<String> command = new ArrayList<>();
    command.add(BundledBinary.unpacked(Optional.empty()).toString());
    command.addAll(List.of("--root", root.toString()));
    command.addAll(List.of(arguments));
    return new RunningSidecar(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  static Path socket(Path root) {
    return root.resolveSibling("s");
  }

  /** Returns the options that connect to the one on a socket, and do not wait long for it. */
  static Options options(Path root) {
    return Options.of("sidecar", "unix:" + socket(root), "reconnect-seconds", "1");
  }

  /** Ends it at once. */
  void kill() {
    process.destroyForcibly().onExit().join();
    output.join();
  }

  /** Lets it end in order. */
  @Override
  public void close() {
    process.destroy();
    process.onExit().join();
    output.join();
  }
}
