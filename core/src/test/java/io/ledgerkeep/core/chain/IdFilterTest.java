package io.ledgerkeep.core.chain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IdFilterTest {

  private static final long KEY = 0x1234_5678_9ABC_DEF0L;
  private static final int FIRST_LAYER_IDS = 1 << 16;

  @TempDir Path directory;

  private static Bytes id(String what, long number) {
    return Bytes.ofUtf8(what + "-" + number);
  }

  private static void add(IdFilter filter, long from, long until) {
    for (long i = from; i < until; i++) {
      filter.makeRoom(1);
      filter.add(filter.hash(id("known", i)));
    }
  }

  private static void assertKnown(IdFilter filter, long from, long until) {
    for (long i = from; i < until; i++) {
      if (!filter.mightContain(filter.hash(id("known", i)))) {
        throw new AssertionError("id " + i + " was added and is called new");
      }
    }
  }

  private static double shareOfPerhaps(IdFilter filter, int asked) {
    int perhaps = 0;
    for (int i = 0; i < asked; i++) {
      perhaps += filter.mightContain(filter.hash(id("new", i))) ? 1 : 0;
    }
    return (double) perhaps / asked;
  }

  private long files() throws IOException {
    try (var files = Files.list(directory)) {
      return files.count();
    }
  }

  // ------------------------------------------------------------------------------------ answers

  @Test
  void anEmptyFilterCallsEverythingNew() throws IOException {
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      assertThat(filter.isNew()).isTrue();
      assertThat(filter.count()).isZero();
      assertThat(shareOfPerhaps(filter, 1000)).isZero();
      assertThat(filter.force()).isZero();
      assertThat(files()).isZero();
    }
  }

  /** The bound of the Javadoc: one in 220 for each full layer, with a little for chance. */
  @Test
  void atAHundredThousandIdsFewNewOnesAreCalledPerhaps() throws IOException {
    assertBound(100_000, 2, 1.0 / 100);
  }

  @Test
  void atAMillionIdsFewNewOnesAreCalledPerhaps() throws IOException {
    assertBound(1_000_000, 5, 1.0 / 50);
  }

  @Test
  @Tag("long")
  void atThirtyMillionIdsFewNewOnesAreCalledPerhaps() throws IOException {
    assertBound(30_000_000, 9, 1.0 / 25);
  }

  private void assertBound(int ids, int layers, double bound) throws IOException {
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      add(filter, 0, ids);
      assertThat(filter.count()).isEqualTo(ids);
      assertThat(filter.force()).isEqualTo(layers);
      assertThat(files()).isEqualTo(layers);
      assertKnown(filter, 0, ids);
      assertThat(shareOfPerhaps(filter, 200_000)).isLessThan(bound);
    }
  }

  /** What the Javadoc says of 10^9 ids, computed: the sizes are fixed by the number of layers. */
  @Test
  void theSizeIsALineForEveryFortyIdsThatALayerIsMadeFor() throws IOException {
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      add(filter, 0, FIRST_LAYER_IDS + 1);
      for (int layer = 0; layer < 2; layer++) {
        assertThat(Files.size(directory.resolve("layer-0" + layer)))
            .isEqualTo(4096 + (FIRST_LAYER_IDS << layer) * 12L / 480 * 64);
      }
    }
  }

  @Test
  void idsThatBelongTogetherFindRoomInOneLayerHoweverMany() throws IOException {
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      filter.makeRoom(300_000);
      for (int i = 0; i < 300_000; i++) {
        filter.add(filter.hash(id("known", i)));
      }
      assertKnown(filter, 0, 300_000);
      assertThat(filter.force()).isEqualTo(1);
      assertThat(shareOfPerhaps(filter, 100_000)).isLessThan(0.006);
      filter.makeRoom(1);
      assertThat(filter.force()).isEqualTo(2);
    }
  }

  @Test
  void whoDoesNotKnowTheKeyCannotChooseIdsThatCollide() throws IOException {
    try (IdFilter one = IdFilter.create(directory.resolve("one"), KEY);
        IdFilter other = IdFilter.create(directory.resolve("other"), KEY + 1)) {
      add(one, 0, 60_000);
      add(other, 0, 60_000);
      int both = 0;
      int first = 0;
      for (int i = 0; i < 200_000; i++) {
        if (one.mightContain(one.hash(id("new", i)))) {
          first++;
          both += other.mightContain(other.hash(id("new", i))) ? 1 : 0;
        }
      }
      assertThat(first).isGreaterThan(100);
      assertThat(both).isLessThan(first / 20);
    }
  }

  // ------------------------------------------------------------------------------------ reopening

  @Test
  void whatWasForcedIsKnownAfterReopening() throws IOException {
    int layers;
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      add(filter, 0, 150_000);
      layers = filter.force();
    }
    try (IdFilter filter = IdFilter.open(directory, KEY, layers, 150_000)) {
      assertThat(filter.isNew()).isFalse();
      assertThat(filter.count()).isEqualTo(150_000);
      assertKnown(filter, 0, 150_000);
      add(filter, 150_000, 250_000);
      assertKnown(filter, 0, 250_000);
      assertThat(shareOfPerhaps(filter, 100_000)).isLessThan(0.02);
    }
  }

  /** A crash leaves a layer that no checkpoint knows: it is taken for a new one. */
  @Test
  void aLayerThatWasNeverRecordedIsThrownAway() throws IOException {
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      add(filter, 0, 1000);
      filter.force();
      add(filter, 1000, 100_000);
      assertThat(files()).isEqualTo(2);
    }
    try (IdFilter filter = IdFilter.open(directory, KEY, 1, 1000)) {
      assertThat(files()).isEqualTo(1);
      assertKnown(filter, 0, 1000);
      add(filter, 1000, 200_000);
      assertKnown(filter, 0, 200_000);
    }
  }

  @Test
  void creatingThrowsAwayWhatWasThere() throws IOException {
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      add(filter, 0, 100_000);
      filter.force();
    }
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      assertThat(files()).isZero();
      assertThat(filter.mightContain(filter.hash(id("known", 1)))).isFalse();
    }
  }

  @Test
  void lostBitsLetNoIdPassForNew() throws IOException {
    forced();
    for (String layer : new String[] {"layer-00", "layer-01"}) {
      byte[] whole = Files.readAllBytes(directory.resolve(layer));
      byte[] damaged = whole.clone();
      Random random = new Random(5);
      for (int i = 4096; i < damaged.length; i++) {
        damaged[i] &= (byte) random.nextInt();
      }
      Arrays.fill(damaged, 8192, 12_288, (byte) 0);
      Files.write(directory.resolve(layer), damaged);
      try (IdFilter filter = IdFilter.open(directory, KEY, 2, 100_000)) {
        assertKnown(filter, 0, 100_000);
        // What is added to a damaged line does not make it pass for whole.
        add(filter, 100_000, 120_000);
        assertKnown(filter, 0, 120_000);
      }
      Files.write(directory.resolve(layer), whole);
    }
  }

  @Test
  void aFlippedBitLetsNoIdPassForNew() throws IOException {
    forced();
    Path layer = directory.resolve("layer-01");
    byte[] whole = Files.readAllBytes(layer);
    Random random = new Random(6);
    for (int round = 0; round < 200; round++) {
      byte[] damaged = whole.clone();
      damaged[4096 + random.nextInt(whole.length - 4096)] ^= (byte) (1 << random.nextInt(8));
      Files.write(layer, damaged);
      try (IdFilter filter = IdFilter.open(directory, KEY, 2, 100_000)) {
        assertKnown(filter, 0, 100_000);
      }
    }
  }

  private void forced() throws IOException {
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      add(filter, 0, 100_000);
      assertThat(filter.force()).isEqualTo(2);
    }
  }

  private void assertToBeMadeAnew(long key, int layers, long ids) {
    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> IdFilter.open(directory, key, layers, ids));
  }

  @Test
  void aMissingLayerIsToBeMadeAnew() throws IOException {
    forced();
    Files.delete(directory.resolve("layer-00"));
    assertToBeMadeAnew(KEY, 2, 100_000);
  }

  @Test
  void aShortLayerIsToBeMadeAnew() throws IOException {
    forced();
    Path layer = directory.resolve("layer-01");
    for (long size : new long[] {Files.size(layer) - 1, 4096 + 64, 4096, 10, 0}) {
      try (RandomAccessFile file = new RandomAccessFile(layer.toFile(), "rw")) {
        file.setLength(size);
      }
      assertToBeMadeAnew(KEY, 2, 100_000);
    }
  }

  @Test
  void aLayerOfAnotherLedgerIsToBeMadeAnew() throws IOException {
    forced();
    assertToBeMadeAnew(KEY + 1, 2, 100_000);
  }

  @Test
  void aLayerAtThePlaceOfAnotherIsToBeMadeAnew() throws IOException {
    forced();
    Files.move(
        directory.resolve("layer-01"),
        directory.resolve("layer-00"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertToBeMadeAnew(KEY, 1, 0);
  }

  @Test
  void anOlderCopyIsToBeMadeAnew() throws IOException {
    forced();
    assertToBeMadeAnew(KEY, 2, 100_001);
    IdFilter.open(directory, KEY, 2, 100_000).close();
  }

  @Test
  void aFileThatIsNoLayerIsToBeMadeAnew() throws IOException {
    Files.write(directory.resolve("layer-00"), new byte[1 << 17]);
    assertToBeMadeAnew(KEY, 1, 0);
    byte[] text = "not a filter".repeat(10_000).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    Files.write(directory.resolve("layer-00"), text);
    assertToBeMadeAnew(KEY, 1, 0);
  }

  @Test
  void aLayerThatCannotBeWrittenIsAStorageFailure() throws IOException {
    try (IdFilter filter = IdFilter.create(directory, KEY)) {
      Files.createDirectory(directory.resolve("layer-00"));
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> filter.makeRoom(1))
          .withMessageContaining("layer-00");
    }
  }
}
