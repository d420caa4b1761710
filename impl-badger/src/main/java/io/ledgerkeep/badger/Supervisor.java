package io.ledgerkeep.badger;

import io.ledgerkeep.badger.BadgerConfig.Bundled;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts a sidecar, starts it again when it died, and stops it. It dies with this process, whatever
 * becomes of that: the end of its standard input tells it to stop.
 */
final class Supervisor {

  private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
  private static final long STOPS_WITHIN_SECONDS = 60;

  private final Bundled config;
  private final Path root;
  private final SocketPlace place;

  // Guarded by this.
  private Process process;
  private SidecarOutput output;

  private Supervisor(Bundled config, Path root, SocketPlace place) throws IOException {
    this.config = config;
    this.root = root;
    this.place = place;
    this.process = run();
    this.output = SidecarOutput.of(process);
  }

  /** Returns when the sidecar serves. */
  static Supervisor start(Bundled config, Path root) {
    SocketPlace place = SocketPlace.make();
    Supervisor supervisor = null;
    try {
      supervisor = new Supervisor(config, root, place);
      supervisor.awaitReady();
      return supervisor;
    } catch (IOException e) {
      place.close();
      throw notStarted(root, e);
    } catch (RuntimeException e) {
      if (supervisor != null) {
        supervisor.stop();
      } else {
        place.close();
      }
      throw e;
    }
  }

  private static StorageException notStarted(Path root, IOException e) {
    return new StorageException(
        Kind.FATAL, "the Badger sidecar of " + root + " cannot be run: " + e.getMessage(), e);
  }

  Path socket() {
    return place.socket();
  }

  /**
   * Starts the sidecar again if it has ended; where that fails, whoever waits for it tries again.
   */
  synchronized void revive() {
    if (process.isAlive()) {
      return;
    }
    LOG.warn("the Badger sidecar of {} ended ({}); starting it again", root, output.end(process));
    output.join();
    try {
      process = run();
      output = SidecarOutput.of(process);
      awaitReady();
    } catch (IOException | StorageException e) {
      LOG.warn("the Badger sidecar of {} was not started again", root, e);
    }
  }

  private Process run() throws IOException {
    Path binary = config.binary().orElseGet(() -> BundledBinary.unpacked(config.directory()));
    List<String> command = new ArrayList<>();
    command.add(binary.toString());
    command.addAll(List.of("--root", root.toString(), "--socket", socket().toString()));
    command.add("--stop-with-stdin");
    command.addAll(config.flags());
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private synchronized void awaitReady() {
    if (!output.awaitReady()) {
      String end = output.end(process);
      process.destroyForcibly();
      throw new StorageException(
          Kind.FATAL, "the Badger sidecar of " + root + " did not start: " + end);
    }
  }

  /** Lets the sidecar close its stores, and returns when it has ended. */
  synchronized void stop() {
    boolean interrupted = false;
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      LOG.debug("the sidecar had ended already", e);
    }
    while (true) {
      try {
        if (!process.waitFor(STOPS_WITHIN_SECONDS, TimeUnit.SECONDS)) {
          LOG.warn("the Badger sidecar of {} does not stop; it is killed", root);
          process.destroyForcibly().waitFor();
        }
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    output.join();
    place.close();
  }
}
