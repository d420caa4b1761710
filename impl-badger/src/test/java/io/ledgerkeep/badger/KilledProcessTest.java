package io.ledgerkeep.badger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that dies without warning takes its sidecar along, and loses no write that returned.
 */
final class KilledProcessTest {

  private static final int ROUNDS = 4;

  @TempDir private Path directory;

  @BeforeAll
  static void assumeSidecar() {
    Stores.assumeSidecar();
  }

  @Test
  void writesOfEitherDurabilityAreThere() throws Exception {
    int from = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int acknowledged = from;
      try (OtherJvm writer = writer(Durability.values()[round % 2], from)) {
        int until = from + 200 + 200 * round;
        while (acknowledged < until) {
          acknowledged = Integer.parseInt(writer.line()) + 1;
        }
        writer.kill();
      }
      try (StorageEngine engine = Stores.open(directory.resolve("store"))) {
        for (int i = 0; i < acknowledged; i++) {
          assertThat(engine.get(key(i))).as("row %d of round %d", i, round).contains(value(i));
        }
      }
      from = acknowledged;
    }
  }

  @Test
  void whileItLivesASecondOwnerIsRefusedByItsName() throws Exception {
    try (OtherJvm writer = writer(Durability.DURABLE, 0)) {
      assertThat(writer.line()).isEqualTo("0");

      assertThatThrownBy(() -> Stores.open(directory.resolve("store")))
          .isInstanceOf(ConflictException.class)
          .hasMessageContaining("open by ledgerkeep")
          .hasMessageContaining("process " + writer.pid());
    }
  }

  private OtherJvm writer(Durability durability, int from) throws Exception {
    return OtherJvm.start(
        List.of("-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir")),
        KilledProcessTest.class,
        directory.resolve("store").toString(),
        durability.name(),
        Integer.toString(from));
  }

  /** Writes rows from a number on without end, and prints each number once its write returned. */
  public static void main(String[] arguments) {
    try (StorageEngine engine = Stores.open(Path.of(arguments[0]))) {
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
