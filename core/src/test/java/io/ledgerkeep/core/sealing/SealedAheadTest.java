package io.ledgerkeep.core.sealing;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.rows.AheadEngine.Ahead;
import io.ledgerkeep.core.rows.RowMaker;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleEncryptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sealing ahead of a write changes nothing but when it is done. */
final class SealedAheadTest {

  private static final String MARKER = "find-me-if-you-can";

  @TempDir Path directory;

  private final StorageEngine below =
      new InMemoryStorage(new MemoryDisk(), InMemoryStorage.ROOMY_LIMITS)
          .open(Path.of("below"), Options.none());
  private EpochEncryptor encryptor;
  private SealedEngine engine;

  @BeforeEach
  void open() {
    encryptor = encryptor(EpochLimits.DEFAULT);
    engine = engine(encryptor, Database.STATE);
  }

  @AfterEach
  void close() {
    encryptor.close();
    below.close();
  }

  private EpochEncryptor encryptor(EpochLimits limits) {
    return new EpochEncryptor(Keys.keyring(directory, "aes", Keys.AES, Clock.systemUTC()), limits);
  }

  private SealedEngine engine(Encryptor by, Database database) {
    return new SealedEngine(
        below, by, Keys.LEDGER, database, key -> OptionalLong.empty(), Runnable::run);
  }

  private static Bytes key(int number) {
    return Bytes.ofUtf8("\u0002key " + number);
  }

  private static Bytes value(int number) {
    return Bytes.ofUtf8(MARKER + number);
  }

  private Optional<Ahead> ahead(int number) {
    return engine.ahead(key(number), value(number));
  }

  private int epochOf(int number) {
    return below.get(key(number)).orElseThrow().asBuffer().getInt(1);
  }

  /** Returns which of the values of its epoch it is. */
  private long placeOf(int number) {
    return below.get(key(number)).orElseThrow().asBuffer().getLong(4) & ((1L << 56) - 1);
  }

  @Test
  void aValueSealedAheadIsNotSealedAgain() {
    Optional<Ahead> first = ahead(1);
    Optional<Ahead> second = ahead(2);
    engine.write(
        new WriteBatch().put(key(2), value(2)).put(key(3), value(3)).put(key(1), value(1)),
        List.of(second, Optional.empty(), first),
        Durability.DURABLE);

    assertThat(List.of(placeOf(1), placeOf(2), placeOf(3))).containsExactly(0L, 1L, 2L);
    for (int number = 1; number <= 3; number++) {
      assertThat(engine.get(key(number))).contains(value(number));
    }
  }

  @Test
  void afterARotationItIsSealedUnderTheNewKey() {
    Optional<Ahead> ahead = ahead(1);
    Optional<Ahead> other = ahead(2);
    encryptor.rotate("SM4-GCM");

    engine.write(new WriteBatch().put(key(1), value(1)), List.of(ahead), Durability.DURABLE);
    assertThat(epochOf(1)).isEqualTo(2);

    engine.write(new WriteBatch().put(key(2), value(2)), List.of(other), Durability.DURABLE);
    assertThat(epochOf(2)).isEqualTo(2);
    assertThat(engine.get(key(1))).contains(value(1));
    assertThat(engine.get(key(2))).contains(value(2));
  }

  @Test
  void soItIsAfterTheEndOfItsEpoch() {
    encryptor.close();
    encryptor = encryptor(new EpochLimits(2, 1L << 40, Duration.ofDays(1)));
    engine = engine(encryptor, Database.STATE);
    List<Optional<Ahead>> ahead = List.of(ahead(1), ahead(2), ahead(3));

    engine.write(
        new WriteBatch().put(key(1), value(1)).put(key(2), value(2)).put(key(3), value(3)),
        ahead,
        Durability.DURABLE);
    assertThat(epochOf(1)).isEqualTo(2);
    assertThat(epochOf(3)).isEqualTo(2);
    for (int number = 1; number <= 3; number++) {
      assertThat(engine.get(key(number))).contains(value(number));
    }
  }

  @Test
  void whatWasSealedForAnotherKeyValueOrEngineIsNotTaken() {
    Optional<Ahead> ofAnotherValue = engine.ahead(key(2), value(99));
    Optional<Ahead> ofAnotherEngine = engine(encryptor, Database.HISTORY).ahead(key(3), value(3));
    Optional<Ahead> foreign = Optional.of(new Ahead() {});
    engine.write(
        new WriteBatch()
            .put(key(1), value(1))
            .put(key(2), value(2))
            .put(key(3), value(3))
            .put(key(4), value(4)),
        List.of(ahead(7), ofAnotherValue, ofAnotherEngine, foreign),
        Durability.DURABLE);
    for (int number = 1; number <= 4; number++) {
      assertThat(engine.get(key(number))).contains(value(number));
    }
  }

  /** Every way in which what is sealed ahead and what is not, puts and deletes can meet. */
  @Test
  void nothingReachesTheEngineInPlain() {
    for (int batchNumber = 0; batchNumber < 81; batchNumber++) {
      WriteBatch batch = new WriteBatch();
      List<Optional<Ahead>> ahead = new ArrayList<>();
      for (int number = 0, kinds = batchNumber; number < 4; number++, kinds /= 3) {
        switch (kinds % 3) {
          case 0 -> batch.delete(key(number));
          case 1 -> batch.put(key(number), value(number));
          default -> {
            batch.put(key(number), value(number));
            while (ahead.size() < number) {
              ahead.add(Optional.empty());
            }
            ahead.add(ahead(number));
          }
        }
      }
      engine.write(batch, ahead, Durability.BUFFERED);
      for (int number = 0, kinds = batchNumber; number < 4; number++, kinds /= 3) {
        boolean put = kinds % 3 > 0;
        Optional<Bytes> stored = below.get(key(number));
        assertThat(stored.isPresent()).isEqualTo(put);
        assertThat(stored.map(SealedAheadTest::text).orElse("")).doesNotContain(MARKER);
        assertThat(engine.get(key(number)))
            .isEqualTo(put ? Optional.of(value(number)) : Optional.empty());
      }
    }
  }

  private static String text(Bytes bytes) {
    return new String(bytes.toArray(), StandardCharsets.ISO_8859_1);
  }

  /** Rows of one piece and of several, made ahead and not, deletes and records in one batch. */
  @Test
  void rowsComeBackHoweverTheyWereWritten() {
    int pieceBytes = 1000;
    RowMaker maker = RowMaker.of(engine, pieceBytes);
    RowWriter writer = new RowWriter(engine, pieceBytes, Durability.DURABLE);
    for (int number = 0; number < 600; number++) {
      Rope row = Rope.of(value(number), Bytes.wrap(new byte[number * 5]));
      switch (number % 3) {
        case 0 -> writer.put(maker.row(key(number), row));
        case 1 -> writer.put(RowMaker.NOTHING_AHEAD.row(key(number), row));
        default -> {
          writer.put(key(number), row);
          writer.delete(key(number - 1));
        }
      }
    }
    writer.record(key(-1), value(-1));
    writer.write();

    RowReader reader = RowReader.newest(engine, pieceBytes);
    assertThat(reader.get(key(-1))).contains(value(-1));
    for (int number = 0; number < 600; number++) {
      Bytes row = Rope.of(value(number), Bytes.wrap(new byte[number * 5])).join();
      Optional<Bytes> expected = number % 3 == 1 ? Optional.empty() : Optional.of(row);
      assertThat(reader.get(key(number))).as("row %s", number).isEqualTo(expected);
    }
  }

  @Test
  void anEncryptorThatIsNotOursSealsWhenItIsTime() {
    try (SampleEncryptor foreign = new SampleEncryptor(1)) {
      engine = engine(foreign, Database.STATE);
      assertThat(ahead(1)).isEmpty();
      engine.write(new WriteBatch().put(key(1), value(1)), Durability.DURABLE);
      assertThat(engine.get(key(1))).contains(value(1));
    }
  }
}
