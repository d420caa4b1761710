package io.ledgerkeep.badger;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads what a sidecar prints, up to its end: that it serves, and then its log. */
final class SidecarOutput {

  private static final Logger LOG = LoggerFactory.getLogger(SidecarOutput.class);
  private static final String READY = "{\"ready\":true";
  private static final long READY_WITHIN_SECONDS = 60;

  private final CompletableFuture<Boolean> ready = new CompletableFuture<>();
  private final Thread reader;
  private volatile String lastLine = "it said nothing";

  private SidecarOutput(Process process) {
    this.reader = new Thread(() -> read(process), "ledgerkeep-badger-output");
  }

  static SidecarOutput of(Process process) {
    SidecarOutput output = new SidecarOutput(process);
    output.reader.setDaemon(true);
    output.reader.start();
    return output;
  }

  private void read(Process process) {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(READY)) {
          ready.complete(true);
        } else {
          lastLine = line;
          log(line);
        }
      }
    } catch (IOException e) {
      LOG.debug("the output of the sidecar ended", e);
    } finally {
      ready.complete(false);
    }
  }

  private static void log(String line) {
    if (line.contains("level=ERROR")) {
      LOG.error("sidecar: {}", line);
    } else if (line.contains("level=WARN")) {
      LOG.warn("sidecar: {}", line);
    } else {
      LOG.debug("sidecar: {}", line);
    }
  }

  /** Waits until the sidecar serves; returns false if it ended before, or took too long. */
  boolean awaitReady() {
    try {
      return Boolean.TRUE.equals(
          Uninterruptibles.getUninterruptibly(ready, READY_WITHIN_SECONDS, TimeUnit.SECONDS));
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  /** Says how the process ended, or that it has not. */
  String end(Process process) {
    if (ready.isDone() && !ready.join()) {
      process.onExit().join(); // it has closed its output, so it is about to end
    }
    return (process.isAlive() ? "it did not get ready" : "exit code " + process.exitValue())
        + ", last line: "
        + lastLine;
  }

  /** Waits for the thread, which ends with the process. */
  void join() {
    Uninterruptibles.joinUninterruptibly(reader);
  }
}
