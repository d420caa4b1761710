package io.ledgerkeep.core.ledger;

import io.ledgerkeep.error.ConflictException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A second Java process that takes a directory, tells how that went, and waits to be killed. */
final class OtherOwner implements AutoCloseable {

  private final Process process;
  private final String said;

  /** Takes the directory as a ledger does that is opened there. */
  public static void main(String[] arguments) throws Exception {
    try (OwnerLock lock = OwnerLock.take(Path.of(arguments[0]))) {
      System.out.println("taken by " + lock);
      System.out.flush();
      System.in.read();
    } catch (ConflictException e) {
      System.out.println("refused as " + e.reason() + ": " + e.getMessage());
    }
  }

  /** Starts the process and waits for what it says. */
  OtherOwner(Path directory) throws IOException {
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                OtherOwner.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    said = String.valueOf(output.readLine());
  }

  /** Returns how that went. */
  String said() {
    return said;
  }

  long pid() {
    return process.pid();
  }

  /** Kills the process and waits for its end: nothing in it is closed in order. */
  @Override
  public void close() {
    try {
      process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
