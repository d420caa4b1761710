package io.ledgerkeep.leveldb;

import static io.ledgerkeep.leveldb.LogReader.Found.DAMAGE;
import static io.ledgerkeep.leveldb.LogReader.Found.END;
import static io.ledgerkeep.leveldb.LogReader.Found.RECORD;
import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LogReaderTest {

  private static final int BLOCK = 32 << 10;

  @TempDir private Path directory;

  @Test
  void recordsOfAllSizesAreReadAcrossBlocks() throws IOException {
    List<Bytes> written = new ArrayList<>();
    LogBuilder log = new LogBuilder();
    for (int size : new int[] {0, 1, 100, BLOCK - 7, BLOCK, 3 * BLOCK, 5, 0, 200_000}) {
      byte[] content = noise(size);
      written.add(Bytes.wrap(content));
      log.record(content);
    }

    assertThat(read(log)).isEqualTo(written);
  }

  @Test
  void aRecordMayEndAnywhereBeforeTheEndOfABlock() throws IOException {
    for (int left = 0; left < 16; left++) {
      byte[] first = noise(BLOCK - 7 - left);
      byte[] second = noise(20);

      assertThat(read(new LogBuilder().record(first).record(second)))
          .as("%d bytes left", left)
          .containsExactly(Bytes.wrap(first), Bytes.wrap(second));
    }
  }

  @Test
  void zerosUpToTheEndAreTheEnd() throws IOException {
    for (int zeros : new int[] {0, 1, 6, 7, 8, 5000, BLOCK, 10 * BLOCK}) {
      LogBuilder log = new LogBuilder().record(noise(100));
      int end = log.size();

      try (LogReader reader = open(log.zeros(zeros))) {
        assertThat(reader.next()).isEqualTo(RECORD);
        assertThat(reader.next()).as("%d zeros", zeros).isEqualTo(END);
        assertThat(reader.recordStart()).isEqualTo(end);
      }
    }
  }

  @Test
  void everyTruncationIsFoundWhereTheLastWholeRecordEnds() throws IOException {
    LogBuilder whole = new LogBuilder().record(noise(300)).record(noise(BLOCK));
    int end = whole.size();
    byte[] log = whole.record(noise(BLOCK + 500)).bytes();

    for (int length = end + 1; length < log.length; length += length % BLOCK < 100 ? 1 : 37) {
      LogBuilder torn = new LogBuilder().raw(Arrays.copyOf(log, length));
      try (LogReader reader = open(torn)) {
        assertThat(reader.next()).isEqualTo(RECORD);
        assertThat(reader.next()).isEqualTo(RECORD);
        assertThat(reader.next()).as("cut at %d", length).isEqualTo(DAMAGE);
        assertThat(reader.recordStart()).isEqualTo(end);
        assertThat(reader.holdsRecordFrom(end + 1, record -> true)).isFalse();
      }
    }
  }

  @Test
  void everyFlippedByteIsFound() throws IOException {
    byte[] log = new LogBuilder().record(noise(50)).record(noise(60)).record(noise(70)).bytes();
    int end = 57 + 67;

    for (int at = 57; at < end; at++) {
      byte[] damaged = log.clone();
      damaged[at] ^= 0x10;
      try (LogReader reader = open(new LogBuilder().raw(damaged))) {
        assertThat(reader.next()).isEqualTo(RECORD);
        assertThat(reader.next()).as("flipped at %d", at).isEqualTo(DAMAGE);
        assertThat(reader.recordStart()).isEqualTo(57);
        assertThat(reader.holdsRecordFrom(58, record -> true)).isTrue();
      }
    }
  }

  @Test
  void zerosInTheMiddleAreDamageAndWhatFollowsIsFound() throws IOException {
    LogBuilder log = new LogBuilder().record(noise(100));
    int end = log.size();
    log.zeros(BLOCK - end + 2 * BLOCK).record(noise(9)).record(noise(3 * BLOCK));

    try (LogReader reader = open(log)) {
      assertThat(reader.next()).isEqualTo(RECORD);
      assertThat(reader.next()).isEqualTo(DAMAGE);
      assertThat(reader.recordStart()).isEqualTo(end);
      assertThat(reader.holdsRecordFrom(end, record -> record.remaining() == 9)).isTrue();
      assertThat(reader.holdsRecordFrom(end, record -> record.remaining() == 3 * BLOCK)).isTrue();
      assertThat(reader.holdsRecordFrom(end, record -> record.remaining() == 8)).isFalse();
    }
  }

  @Test
  void aRecordThatBeginsBeforeTheLastEndedIsDamage() throws IOException {
    byte[] long1 = new LogBuilder().record(noise(BLOCK * 2)).bytes();
    byte[] torn = Arrays.copyOf(long1, BLOCK);

    try (LogReader reader = open(new LogBuilder().raw(torn).record(noise(10)))) {
      assertThat(reader.next()).isEqualTo(DAMAGE);
      assertThat(reader.recordStart()).isZero();
      assertThat(reader.holdsRecordFrom(1, record -> true)).isTrue();
    }
  }

  private List<Bytes> read(LogBuilder log) throws IOException {
    List<Bytes> records = new ArrayList<>();
    try (LogReader reader = open(log)) {
      LogReader.Found found = reader.next();
      while (found == RECORD) {
        byte[] content = new byte[reader.record().remaining()];
        reader.record().get(content);
        records.add(Bytes.wrap(content));
        found = reader.next();
      }
      assertThat(found).isEqualTo(END);
      assertThat(reader.recordStart()).isEqualTo(log.size());
    }
    return records;
  }

  private LogReader open(LogBuilder log) throws IOException {
    return LogReader.open(Files.write(directory.resolve("log"), log.bytes()));
  }

  private static byte[] noise(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }
}
