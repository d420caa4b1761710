package io.ledgerkeep.core.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RowsTest {

  private static final int PIECE = 100;
  private static final KeyRange PIECES = KeyRange.prefix(Bytes.fromHex("82"));

  private final StorageEngine engine = open(InMemoryStorage.SMALLEST_LIMITS);
  private final RowReader reader = RowReader.newest(engine, PIECE);

  private static StorageEngine open(StorageEngine.Limits limits) {
    return new InMemoryStorage(new MemoryDisk(), limits).open(Path.of("rows"), Options.none());
  }

  private static Bytes noise(long seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return Bytes.wrap(bytes);
  }

  private static Bytes key(String text) {
    return Bytes.ofUtf8("\u0002" + text);
  }

  private TreeMap<Bytes, Bytes> content() {
    TreeMap<Bytes, Bytes> content = new TreeMap<>();
    try (StorageEngine.Cursor cursor = engine.scan(KeyRange.all())) {
      while (cursor.next()) {
        content.put(cursor.key(), cursor.value());
      }
    }
    return content;
  }

  private void put(Bytes key, Rope row) {
    RowWriter writer = new RowWriter(engine, PIECE, Durability.DURABLE);
    writer.put(key, row);
    writer.write();
  }

  // ------------------------------------------------------------------------------------ pieces

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 1, 12345})
  void aRowOfAnySizeComesBack(int size) {
    Bytes row = noise(size, size);
    Bytes key = key("row");
    put(key, Rope.of(row.slice(0, size / 3), row.slice(size / 3, size)));

    assertThat(reader.get(key)).contains(row);
    assertThat(content()).hasSize(1 + size / PIECE);
    assertThat(reader.firstPiece(key)).contains(row.slice(0, Math.min(size, PIECE)));
    assertThat(reader.continues(reader.firstPiece(key).orElseThrow())).isEqualTo(size >= PIECE);
  }

  @Test
  void onlyFirstPiecesLieInTheTableOfTheRows() {
    put(key("a"), Rope.of(noise(1, 5 * PIECE)));
    put(key("b"), Rope.of(noise(2, 10)));
    List<Bytes> found = new ArrayList<>();
    try (StorageEngine.Cursor cursor = reader.scan(KeyRange.prefix(Bytes.fromHex("02")))) {
      while (cursor.next()) {
        found.add(reader.whole(cursor.key(), cursor.value()));
      }
    }
    assertThat(found).containsExactly(noise(1, 5 * PIECE), noise(2, 10));
  }

  @Test
  void aMissingPieceIsToldAndNothingServed() {
    put(key("a"), Rope.of(noise(1, 2 * PIECE)));
    assertThat(content()).hasSize(3);
    for (int number = 1; number <= 2; number++) {
      Bytes piece = PieceKeys.piece(key("a"), number);
      Bytes value = engine.get(piece).orElseThrow();
      engine.write(new WriteBatch().delete(piece), Durability.DURABLE);
      assertThatExceptionOfType(IntegrityException.class)
          .isThrownBy(() -> reader.get(key("a")))
          .withMessageContaining("piece " + number);
      engine.write(new WriteBatch().put(piece, value), Durability.DURABLE);
    }
    assertThat(reader.get(key("a"))).contains(noise(1, 2 * PIECE));
  }

  @Test
  void piecesOfTwoRowsNeverMeet() {
    // the key of one row is that of another with what looks like the number of a piece behind it
    Bytes shorter = Bytes.fromHex("0261");
    Bytes longer = Bytes.fromHex("026100000001");
    Bytes longest = Bytes.fromHex("02610000000100000002");
    put(shorter, Rope.of(noise(1, 3 * PIECE + 7)));
    put(longer, Rope.of(noise(2, 2 * PIECE + 7)));
    put(longest, Rope.of(noise(3, PIECE)));
    assertThat(reader.get(shorter)).contains(noise(1, 3 * PIECE + 7));
    assertThat(reader.get(longer)).contains(noise(2, 2 * PIECE + 7));
    assertThat(reader.get(longest)).contains(noise(3, PIECE));

    StoredPieces pieces = new StoredPieces(engine, PIECES);
    RowWriter writer = new RowWriter(engine, PIECE, Durability.DURABLE);
    pieces.deleteOf(shorter, writer);
    writer.put(shorter, noise(4, 5));
    writer.write();
    assertThat(reader.get(shorter)).contains(noise(4, 5));
    assertThat(reader.get(longer)).contains(noise(2, 2 * PIECE + 7));
    assertThat(reader.get(longest)).contains(noise(3, PIECE));
  }

  @Test
  void theRangeOfPiecesHoldsThoseOfTheRowsAndNoOthers() {
    for (String name : List.of("a", "b", "bb", "c")) {
      put(key(name), Rope.of(noise(1, 3 * PIECE)));
    }
    KeyRange rows = KeyRange.of(key("b"), key("c"));
    engine.deleteRange(rows);
    engine.deleteRange(PieceKeys.pieces(rows));
    assertThat(reader.get(key("a"))).isPresent();
    assertThat(reader.get(key("c"))).isPresent();
    assertThat(content()).hasSize(2 * 4);
  }

  @Test
  void whateverIsOverwrittenOrDeletedLeavesNoPiece() {
    Random random = new Random(11);
    int[] sizes = {0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1, 9 * PIECE};
    List<Bytes> keys =
        List.of(key("a"), key("a\u0000\u0000\u0000\u0001"), key("ab"), key("\u00ff\u00ff"));
    Map<Bytes, Bytes> expected = new HashMap<>();
    StoredPieces pieces = new StoredPieces(engine, PIECES);
    for (int round = 0; round < 2000; round++) {
      Bytes key = keys.get(random.nextInt(keys.size()));
      RowWriter writer = new RowWriter(engine, PIECE, Durability.BUFFERED);
      pieces.deleteOf(key, writer);
      if (random.nextInt(4) == 0) {
        writer.delete(key);
        expected.remove(key);
      } else {
        Bytes row = noise(round, sizes[random.nextInt(sizes.length)]);
        pieces.note(row.size() >= PIECE);
        writer.put(key, Rope.of(row));
        expected.put(key, row);
      }
      writer.write();
      if (random.nextInt(50) == 0) {
        pieces = new StoredPieces(engine, PIECES);
      }
      assertThat(content()).as("round %s", round).isEqualTo(asPieces(expected));
    }
  }

  /** Returns what has to lie on the engine: the definition of the format, written once more. */
  private static TreeMap<Bytes, Bytes> asPieces(Map<Bytes, Bytes> rows) {
    TreeMap<Bytes, Bytes> content = new TreeMap<>();
    rows.forEach(
        (key, row) -> {
          for (int number = 0; number * PIECE <= row.size(); number++) {
            Bytes piece = row.slice(number * PIECE, Math.min(row.size(), number * PIECE + PIECE));
            String table = number == 0 ? "02" : "82";
            String suffix = number == 0 ? "" : "%08x".formatted(number);
            content.put(Bytes.fromHex(table + key.hex().substring(2) + suffix), piece);
          }
        });
    return content;
  }

  // ------------------------------------------------------------------------------------ batches

  @Test
  void whatFitsInOneBatchIsOneAtomicBatch() {
    RowWriter writer = new RowWriter(engine, PIECE, Durability.DURABLE);
    assertThat(writer.isEmpty()).isTrue();
    assertThat(writer.fits(1000, 6)).isTrue();
    for (int i = 0; i < 6; i++) {
      writer.put(key("k" + i), noise(i, 50));
    }
    assertThat(content()).isEmpty();
    writer.record(key("record"), Bytes.EMPTY);
    writer.write();
    assertThat(content()).hasSize(7);
    assertThat(writer.isEmpty()).isTrue();
  }

  @Test
  void whatDoesNotFitGoesAheadAndTheRecordStaysWithTheLast() {
    RowWriter writer = new RowWriter(engine, PIECE, Durability.DURABLE);
    for (int i = 0; i < 100; i++) {
      writer.put(key("k%02d".formatted(i)), noise(i, 50));
    }
    TreeMap<Bytes, Bytes> ahead = content();
    assertThat(ahead.size()).isBetween(80, 99).as("the rows that went ahead, in order");
    assertThat(ahead.lastKey()).isEqualTo(key("k%02d".formatted(ahead.size() - 1)));
    writer.record(key("record"), Bytes.EMPTY);
    assertThat(content()).doesNotContainKey(key("record"));
    writer.write();
    assertThat(content()).hasSize(101);
  }

  @Test
  void whatWasForgottenIsNotWritten() {
    RowWriter writer = new RowWriter(engine, PIECE, Durability.DURABLE);
    writer.put(key("a"), noise(1, 5));
    writer.discard();
    writer.write();
    assertThat(content()).isEmpty();
  }

  @Test
  void aRecordIsDeletedInTheSameBatch() {
    RowWriter writer = new RowWriter(engine, PIECE, Durability.DURABLE);
    writer.record(key("record"), Bytes.EMPTY);
    writer.write();
    writer.put(key("a"), noise(1, 5));
    writer.deleteRecord(key("record"));
    assertThat(content()).containsOnlyKeys(key("record"));
    writer.write();
    assertThat(content()).containsOnlyKeys(key("a"));
  }

  /** The longest keys, full pieces and the records must go into the smallest batch together. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void rowsOfAnySizeFitOnTheSmallestEngine(boolean smallest) {
    StorageEngine.Limits limits =
        smallest ? InMemoryStorage.SMALLEST_LIMITS : InMemoryStorage.ROOMY_LIMITS;
    StorageEngine strict = open(limits);
    int pieceBytes = RowWriter.pieceBytesFor(strict);
    assertThat(pieceBytes).isBetween(1, limits.maxValueBytes());
    Bytes key = key("k".repeat((32 << 10) + 20));
    RowWriter writer = new RowWriter(strict, pieceBytes, Durability.DURABLE);
    RowReader rows = RowReader.newest(strict, pieceBytes);
    for (int size : new int[] {pieceBytes - 1, pieceBytes, pieceBytes + 1, 5 * pieceBytes}) {
      Bytes row = noise(size, size);
      writer.put(key, Rope.of(row));
      for (int i = 0; i < 4; i++) {
        writer.record(key("record " + i), noise(i, 300));
      }
      writer.write();
      assertThat(rows.get(key)).contains(row);
    }
  }
}
