package io.ledgerkeep.leveldb;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that dies without warning loses no write that returned, whatever its durability. */
final class KilledProcessTest {

  private static final Options SMALL_BUFFER = Options.of("write-buffer-bytes", "300000");
  private static final int ROUNDS = 4;

  @TempDir private Path directory;

  @Test
  void durableWritesAreThere() throws Exception {
    assertNothingIsLost(Durability.DURABLE);
  }

  @Test
  void bufferedWritesAreThere() throws Exception {
    assertNothingIsLost(Durability.BUFFERED);
  }

  private void assertNothingIsLost(Durability durability) throws Exception {
    int from = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int acknowledged = from;
      try (OtherJvm writer =
          OtherJvm.start(
              List.of(),
              KilledProcessTest.class,
              directory.resolve("store").toString(),
              durability.name(),
              Integer.toString(from))) {
        int until = from + 500 + 400 * round;
        while (acknowledged < until) {
          acknowledged = Integer.parseInt(writer.line()) + 1;
        }
        writer.kill();
      }
      try (StorageEngine engine = Stores.open(directory.resolve("store"), SMALL_BUFFER)) {
        for (int i = 0; i < acknowledged; i++) {
          assertThat(engine.get(key(i))).as("row %d of round %d", i, round).contains(value(i));
        }
      }
      from = acknowledged;
    }
  }

  /** Writes rows from a number on without end, and prints each number once its write returned. */
  public static void main(String[] arguments) {
    try (StorageEngine engine = Stores.open(Path.of(arguments[0]), SMALL_BUFFER)) {
      for (int i = Integer.parseInt(arguments[2]); i >= 0; i++) {
        engine.write(new WriteBatch().put(key(i), value(i)), Durability.valueOf(arguments[1]));
        System.out.println(i);
        System.out.flush();
      }
    }
  }

  private static Bytes key(int number) {
    return Bytes.ofUtf8("row " + number);
  }

  private static Bytes value(int number) {
    byte[] bytes = new byte[new Random(number).nextInt(4000)];
    new Random(number + 1L).nextBytes(bytes);
    return Bytes.wrap(bytes);
  }
}
