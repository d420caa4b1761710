package io.ledgerkeep.leveldb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whether a write is durable cannot be seen without a power cut, but whether LevelDB asked for a
 * sync can: the calls are counted. Skipped where strace is missing.
 */
@Timeout(120)
final class SyncedWriteTest {

  private static final int WRITES = 50;

  @TempDir private Path temporary;

  @BeforeEach
  void requireStrace() throws Exception {
    assumeTrue(succeeds("strace", "-V"), "strace is missing");
  }

  @Test
  void everyDurableWriteIsSyncedAndNoBufferedOne() throws Exception {
    long durable = syncsOf(Durability.DURABLE);
    long buffered = syncsOf(Durability.BUFFERED);
    assertThat(durable).isGreaterThanOrEqualTo(WRITES);
    assertThat(buffered).isLessThan(WRITES);
  }

  /** Writes a few times, each time in a batch of its own. */
  static final class Writing {

    public static void main(String[] arguments) {
      Durability durability = Durability.valueOf(arguments[1]);
      try (StorageEngine engine = Stores.open(Path.of(arguments[0]))) {
        for (int i = 0; i < WRITES; i++) {
          if (durability == Durability.DURABLE) {
            Stores.durable(engine, "key " + i, "value");
          } else {
            Stores.buffered(engine, "key " + i, "value");
          }
        }
      }
    }
  }

  private long syncsOf(Durability durability) throws Exception {
    Path trace = temporary.resolve("trace-" + durability);
    assertThat(
            succeeds(
                "strace",
                "-f",
                "-qq",
                "-e",
                "trace=fsync,fdatasync,msync,sync_file_range",
                "-o",
                trace.toString(),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Writing.class.getName(),
                temporary.resolve("store-" + durability).toString(),
                durability.name()))
        .isTrue();
    try (Stream<String> calls = Files.lines(trace)) {
      return calls.filter(call -> call.contains("sync")).count();
    }
  }

  private static boolean succeeds(String... command) throws Exception {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
