package io.ledgerkeep.leveldb;

import static io.ledgerkeep.leveldb.Stores.buffered;
import static io.ledgerkeep.leveldb.Stores.content;
import static io.ledgerkeep.leveldb.Stores.contentOf;
import static io.ledgerkeep.leveldb.Stores.durable;
import static io.ledgerkeep.leveldb.Stores.image;
import static io.ledgerkeep.leveldb.Stores.log;
import static io.ledgerkeep.leveldb.Stores.open;
import static io.ledgerkeep.leveldb.Stores.recordStarts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is made of the logs and manifests that a crash of the machine, or damage, leaves. */
final class CrashedStoreTest {

  private static final int BLOCK = 32 << 10;

  @TempDir private Path temporary;

  private Path store;
  private int images;

  @BeforeEach
  void chooseDirectory() {
    store = temporary.resolve("store");
  }

  private Path nextImage() {
    return image(store, temporary.resolve("image-" + images++));
  }

  /**
   * Makes a store with durable writes a, b and c, each a record of its log, and leaves an image.
   */
  private Path threeDurableRecords() {
    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1".repeat(10));
      durable(engine, "b", "2".repeat(10));
      durable(engine, "c", "3".repeat(10));
      return nextImage();
    }
  }

  // ---- a torn tail

  @Test
  void theZerosThatAKilledProcessLeavesNeedNoCut() throws IOException {
    Path image = threeDurableRecords();
    assertThat(Files.size(log(image))).isEqualTo(64 << 10);

    assertThat(contentOf(image)).hasSize(3);
    assertThat(keptCopies(image)).isEmpty();
  }

  @Test
  void aLogCutAnywhereInItsLastRecordLosesThatRecordOnly() throws IOException {
    assertLastRecordIsCut((log, length) -> Arrays.copyOf(log, length));
  }

  @Test
  void aLastRecordOfWhichTheEndNeverReachedTheDiskIsCut() throws IOException {
    assertLastRecordIsCut((log, length) -> Arrays.copyOf(Arrays.copyOf(log, length), 64 << 10));
  }

  @Test
  void aLastRecordThatEndsInGarbageIsCut() throws IOException {
    assertLastRecordIsCut(
        (log, length) -> {
          byte[] torn = log.clone();
          new Random(length).nextBytes(torn);
          System.arraycopy(log, 0, torn, 0, length);
          return torn;
        });
  }

  private interface Tearing {
    byte[] tear(byte[] log, int length);
  }

  private void assertLastRecordIsCut(Tearing tearing) throws IOException {
    Path whole = threeDurableRecords();
    byte[] log = Files.readAllBytes(log(whole));
    List<Integer> starts = recordStarts(log(whole));

    for (int length = starts.get(2) + 1; length < starts.get(3); length++) {
      Path image = image(whole, temporary.resolve("torn-at-" + length));
      byte[] torn = tearing.tear(log, length);
      Files.write(log(image), torn);

      try (StorageEngine engine = open(image)) {
        assertThat(content(engine)).as("torn at %d", length).containsOnlyKeys("a", "b");
        durable(engine, "d", "4");
      }
      assertThat(contentOf(image)).containsOnlyKeys("a", "b", "d");
      assertThat(keptCopies(image))
          .singleElement()
          .satisfies(copy -> assertThat(Files.readAllBytes(copy)).isEqualTo(torn));
    }
  }

  @Test
  void aTornRecordOfManyBlocksIsCutThoughPartsOfItAreWhole() throws IOException {
    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1");
      durable(engine, "b", "2".repeat(5 * BLOCK));
      nextImage();
    }
    for (int lost = 0; lost < 5; lost++) {
      Path image = image(temporary.resolve("image-0"), temporary.resolve("lost-" + lost));
      byte[] log = Files.readAllBytes(log(image));
      Arrays.fill(log, lost * BLOCK + 100, (lost + 1) * BLOCK, (byte) 0);
      Files.write(log(image), log);

      assertThat(contentOf(image)).as("lost block %d", lost).containsOnlyKeys("a");
    }
  }

  // ---- damage

  @Test
  void everyFlippedByteBeforeTheLastRecordIsRefused() throws IOException {
    Path whole = threeDurableRecords();
    byte[] log = Files.readAllBytes(log(whole));
    int last = recordStarts(log(whole)).get(2);

    for (int at = 0; at < last; at++) {
      log[at] ^= 0x04;
      Files.write(log(whole), log);
      assertRefusedAsItIs(whole);
      log[at] ^= 0x04;
    }
    Files.write(log(whole), log);
    assertThat(contentOf(whole)).hasSize(3);
  }

  /** LevelDB skips zeros without a word. */
  @Test
  void aZeroedRecordBeforeTheLastIsRefused() throws IOException {
    Path image = threeDurableRecords();
    List<Integer> starts = recordStarts(log(image));
    byte[] log = Files.readAllBytes(log(image));
    Arrays.fill(log, starts.get(1), starts.get(2), (byte) 0);
    Files.write(log(image), log);

    assertRefusedAsItIs(image);
  }

  /** LevelDB skips the rest of a block that it finds zeros in, and reads on behind it. */
  @Test
  void aZeroedPageInTheMiddleIsRefused() throws IOException {
    try (StorageEngine engine = open(store)) {
      for (int i = 0; i < 40; i++) {
        durable(engine, "key " + i, "v".repeat(3000));
      }
      nextImage();
    }
    Path image = temporary.resolve("image-0");
    byte[] log = Files.readAllBytes(log(image));
    int hole = recordStarts(log(image)).stream().filter(at -> at > 4096).findFirst().orElseThrow();
    Arrays.fill(log, hole, BLOCK, (byte) 0);
    Files.write(log(image), log);

    assertRefusedAsItIs(image);
  }

  /** LevelDB forgets the damage of one log when the next one is whole. */
  @Test
  void aDamagedLogBeforeAWholeOneIsRefused() throws IOException {
    Path image = threeDurableRecords();
    Path first = log(image);
    int end = recordStarts(first).get(3);
    byte[] next = new LogBuilder().put(4, "d", "4").bytes();
    Files.write(logAfter(first), next);
    assertThat(contentOf(image(image, temporary.resolve("whole")))).hasSize(4);

    byte[] log = Files.readAllBytes(first);
    log[end - 1] ^= 1;
    Files.write(first, log);
    assertRefusedAsItIs(image);
    Files.write(first, Arrays.copyOf(log, end - 1));
    assertRefusedAsItIs(image);
  }

  /** Nothing in the framing shows that whole records are gone; their numbers do. */
  @Test
  void aLogThatEndsTooEarlyBeforeAWholeOneIsRefused() throws IOException {
    Path image = threeDurableRecords();
    Path first = log(image);
    Files.write(logAfter(first), new LogBuilder().put(4, "d", "4").bytes());
    byte[] log = Files.readAllBytes(first);

    Files.write(first, Arrays.copyOf(log, recordStarts(first).get(2)));
    assertRefusedAsItIs(image);
    Files.write(first, new byte[0]);
    assertRefusedAsItIs(image);
    Files.delete(first);
    assertRefusedAsItIs(image);
  }

  @Test
  void aTornLogBeforeAnEmptyOneIsCut() throws IOException {
    Path image = threeDurableRecords();
    Path first = log(image);
    Files.write(logAfter(first), new byte[64 << 10]);
    Files.write(first, Arrays.copyOf(Files.readAllBytes(first), recordStarts(first).get(3) - 1));

    assertThat(contentOf(image)).containsOnlyKeys("a", "b");
  }

  @Test
  void aMissingTableOrOneOfAnotherSizeIsRefused() throws IOException {
    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1");
      engine.flush();
    }
    Path table = Stores.files(store, StoreFiles.TABLE).get(0);
    byte[] content = Files.readAllBytes(table);

    Files.write(table, Arrays.copyOf(content, content.length - 1));
    assertRefusedAsItIs(store);
    Files.write(table, new byte[0]);
    assertRefusedAsItIs(store);
    Files.delete(table);
    assertRefusedAsItIs(store);
    Files.write(table, content);
    assertThat(contentOf(store)).containsOnlyKeys("a");
  }

  /** LevelDB does not miss it, and would open without what it held. */
  @Test
  void aStoreThatLostItsLogIsRefused() throws IOException {
    Path image = threeDurableRecords();
    for (Path log : Stores.files(image, StoreFiles.LOG)) {
      Files.delete(log);
    }
    assertRefusedAsItIs(image);
  }

  @Test
  void aDamagedTableIsNotServed() throws IOException {
    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1".repeat(1000));
      engine.flush();
    }
    Path table = Stores.files(store, StoreFiles.TABLE).get(0);
    byte[] content = Files.readAllBytes(table);
    content[500] ^= 1;
    Files.write(table, content);
    try (StorageEngine engine = open(store)) {
      assertThatThrownBy(() -> engine.get(Bytes.ofUtf8("a")))
          .isInstanceOf(IntegrityException.class);
      assertThatThrownBy(() -> Stores.content(engine)).isInstanceOf(IntegrityException.class);
    }
  }

  /** LevelDB would make a new store there and delete the tables of the old one. */
  @Test
  void aStoreThatLostItsCurrentFileIsRefused() throws IOException {
    Path image = threeDurableRecords();
    Path current = image.resolve("CURRENT");

    for (String text : List.of("", "MANIFEST-000002", "MANIFEST-000077\n", "000003.log\n")) {
      Files.writeString(current, text);
      assertRefusedAsItIs(image);
    }
    Files.delete(current);
    assertRefusedAsItIs(image);
  }

  @Test
  void whatACrashLeavesOfAStoreJustBeingMadeIsNoStore() throws IOException {
    Files.createDirectories(store);
    Files.write(store.resolve("MANIFEST-000001"), new byte[100]);
    Files.write(store.resolve("000001.dbtmp"), new byte[5]);
    Files.write(store.resolve("LOG"), new byte[5]);

    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1");
    }
    assertThat(contentOf(store)).containsOnlyKeys("a");
  }

  // ---- the manifest

  @Test
  void aManifestCutAnywhereInItsLastEditLosesNothing() throws IOException {
    Path image;
    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1");
      durable(engine, "b", "2");
      image = nextImage();
      engine.flush();
      durable(engine, "c", "3");
      // As if the power went after the edit was begun: the log it would have retired is still
      // there.
      Path log = log(image);
      Path edited = nextImage();
      Files.copy(log, edited.resolve(log.getFileName()));
      image = edited;
    }
    byte[] manifest = Files.readAllBytes(Stores.manifest(image));
    List<Integer> starts = recordStarts(Stores.manifest(image));

    int last = starts.get(starts.size() - 2);
    for (int length = last + 1; length < starts.get(starts.size() - 1); length++) {
      Path torn = image(image, temporary.resolve("manifest-" + length));
      Files.write(Stores.manifest(torn), Arrays.copyOf(manifest, length));

      assertThat(contentOf(torn))
          .as("torn at %d", length)
          .isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));
      assertThat(keptCopies(torn)).hasSize(1);
    }
  }

  @Test
  void aManifestWhoseLastEditIsGoneAndWasActedUponIsRefused() throws IOException {
    Path image;
    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1");
      engine.flush();
      image = nextImage();
    }
    Path manifest = Stores.manifest(image);
    List<Integer> starts = recordStarts(manifest);
    Files.write(
        manifest, Arrays.copyOf(Files.readAllBytes(manifest), starts.get(starts.size() - 1) - 1));

    assertRefusedAsItIs(image);
  }

  @Test
  void everyFlippedByteBeforeTheLastEditOfAManifestIsRefused() throws IOException {
    Path image;
    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1");
      engine.flush();
      image = nextImage();
    }
    Path manifest = Stores.manifest(image);
    byte[] content = Files.readAllBytes(manifest);
    List<Integer> starts = recordStarts(manifest);

    for (int at = 0; at < starts.get(starts.size() - 2); at++) {
      content[at] ^= 0x20;
      Files.write(manifest, content);
      assertRefusedAsItIs(image);
      content[at] ^= 0x20;
    }
    Files.write(manifest, content);
    assertThat(contentOf(image)).hasSize(1);
  }

  // ---- buffered writes

  @Test
  void aHoleInBufferedWritesTakesWhatComesAfterIt() throws IOException {
    try (StorageEngine engine = open(store)) {
      durable(engine, "before", "1");
      for (int i = 0; i < 40; i++) {
        buffered(engine, "key %02d".formatted(i), "v".repeat(3000));
      }
      nextImage();
    }
    Path whole = temporary.resolve("image-0");
    List<Integer> starts = recordStarts(log(whole));
    assertThat(contentOf(image(whole, temporary.resolve("whole")))).hasSize(41);

    for (int page = 0; page < starts.get(starts.size() - 1); page += 4096) {
      Path image = image(whole, temporary.resolve("page-" + page));
      byte[] log = Files.readAllBytes(log(image));
      Arrays.fill(log, page, page + 4096, (byte) 0);
      Files.write(log(image), log);

      assertThat(contentOf(image).headMap("key")).containsOnlyKeys("before");
      int survivors = contentOf(image).tailMap("key").size();
      assertThat(contentOf(image).tailMap("key").keySet())
          .as("lost page at %d", page)
          .isEqualTo(numbered(survivors).keySet());
      int at = page;
      long wholeRecords = starts.stream().skip(1).filter(end -> end <= at).count();
      // The first record is the empty one of the flush that began the log.
      assertThat(survivors).isEqualTo((int) Math.max(0, wholeRecords - 1));
    }
  }

  @Test
  void bufferedWritesOfALaterLogGoWithThoseOfAnEarlierOne() throws IOException {
    Path image;
    try (StorageEngine engine = open(store)) {
      buffered(engine, "a", "1");
      buffered(engine, "b", "2");
      image = nextImage();
    }
    Path first = log(image);
    List<Integer> starts = recordStarts(first);
    Files.write(logAfter(first), new LogBuilder().put(3, "c", "3").bytes());
    assertThat(contentOf(image(image, temporary.resolve("whole")))).containsOnlyKeys("a", "b", "c");

    Files.write(first, Arrays.copyOf(Files.readAllBytes(first), starts.get(starts.size() - 2)));
    assertThat(contentOf(image)).containsOnlyKeys("a");
    assertThat(keptCopies(image)).hasSize(1);
  }

  /**
   * A buffered write is not made durable by a durable one that goes to a later log, as LevelDB has
   * it. So the two never share the logs: the one that comes after the other flushes it.
   */
  @Test
  void theLogsHoldWritesOfOneDurabilityOnly() throws IOException {
    try (StorageEngine engine = open(store)) {
      durable(engine, "a", "1");
      buffered(engine, "b", "2");
      assertThat(contentWithoutLogs()).containsOnlyKeys("a");
      buffered(engine, "c", "3");
      durable(engine, "d", "4");
      assertThat(contentWithoutLogs()).containsOnlyKeys("a", "b", "c");
      buffered(engine, "e", "5");
      assertThat(contentWithoutLogs()).containsOnlyKeys("a", "b", "c", "d");
    }
    try (StorageEngine engine = open(store)) {
      buffered(engine, "f", "6");
      assertThat(contentWithoutLogs()).containsOnlyKeys("a", "b", "c", "d", "e");
    }
  }

  @Test
  void flushPutsWhatWasWrittenBeforeItIntoTables() throws IOException {
    try (StorageEngine engine = open(store)) {
      for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
          buffered(engine, "key %d of round %d".formatted(i, round), "value");
        }
        engine.flush();
        buffered(engine, "after", "the flush");
        assertThat(contentWithoutLogs()).hasSize(round * 100 + (round == 0 ? 100 : 101));
      }
      engine.flush();
      engine.flush();
      assertThat(contentWithoutLogs()).hasSize(501);
    }
  }

  /** Returns what is left if the power goes now and takes every byte of every log. */
  private Map<String, String> contentWithoutLogs() throws IOException {
    Path image = nextImage();
    for (Path log : Stores.files(image, StoreFiles.LOG)) {
      Files.write(log, new byte[0]);
    }
    return contentOf(image);
  }

  private static Map<String, String> numbered(int count) {
    Map<String, String> numbered = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      numbered.put("key %02d".formatted(i), "");
    }
    return numbered;
  }

  // ----

  private void assertRefusedAsItIs(Path image) throws IOException {
    Map<String, Bytes> before = Stores.data(image);
    assertThatThrownBy(() -> open(image).close())
        .isInstanceOf(IntegrityException.class)
        .hasMessageContaining(image.toString())
        .hasMessageContaining("ledgerkeep doctor");
    assertThat(Stores.data(image)).isEqualTo(before);
    assertThat(keptCopies(image)).isEmpty();
  }

  private static Path logAfter(Path log) {
    String name = log.getFileName().toString();
    long number = Long.parseLong(name.substring(0, name.length() - StoreFiles.LOG.length()));
    return log.resolveSibling("%06d.log".formatted(number + 7));
  }

  private static List<Path> keptCopies(Path image) throws IOException {
    List<Path> folders =
        Stores.list(image).stream()
            .filter(file -> file.getFileName().toString().startsWith("torn-"))
            .toList();
    return folders.isEmpty() ? List.of() : Stores.list(folders.get(0));
  }
}
