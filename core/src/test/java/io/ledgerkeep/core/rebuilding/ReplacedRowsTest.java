package io.ledgerkeep.core.rebuilding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.chain.ChainIndexes.Correction;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the file of replaced rows holds is there, or its last record was cut by a crash. */
final class ReplacedRowsTest {

  private static final List<Correction> ROWS =
      List.of(
          row("\u0006one", "before", "after"),
          row("\u0006two", null, "after"),
          row("\u0005three", "", null));

  @TempDir private Path directory;
  private Path file;

  private static Correction row(String key, @Nullable String before, @Nullable String after) {
    return new Correction(
        Bytes.ofUtf8(key),
        Optional.ofNullable(before).map(Bytes::ofUtf8),
        Optional.ofNullable(after).map(Bytes::ofUtf8));
  }

  @BeforeEach
  void writeRows() {
    file = directory.resolve("backup/INDEX");
    try (ReplacedRows rows = ReplacedRows.open(file)) {
      assertThat(rows.isEmpty()).isTrue();
      rows.append(List.of());
      assertThat(file).doesNotExist();
      rows.append(ROWS);
    }
  }

  private static List<Correction> all(ReplacedRows rows) {
    List<Correction> all = new ArrayList<>();
    rows.forEach(2, all::addAll);
    return all;
  }

  @Test
  void rowsAreThereAgainAndMoreComeAfterThem() {
    try (ReplacedRows rows = ReplacedRows.open(file)) {
      assertThat(all(rows)).isEqualTo(ROWS);
      assertThat(rows.entries()).isEqualTo(3);
      rows.append(ROWS.subList(0, 1));
    }
    try (ReplacedRows rows = ReplacedRows.open(file)) {
      assertThat(all(rows)).hasSize(4).startsWith(ROWS.toArray(Correction[]::new));
    }
  }

  @Test
  void whereverItIsCutWholeRowsStayAndOthersCanFollow() throws IOException {
    byte[] content = Files.readAllBytes(file);
    for (int length = 0; length < content.length; length++) {
      Files.write(file, Arrays.copyOf(content, length));
      int whole;
      try (ReplacedRows rows = ReplacedRows.open(file)) {
        whole = all(rows).size();
        assertThat(all(rows)).isEqualTo(ROWS.subList(0, whole));
        rows.append(ROWS.subList(2, 3));
      }
      try (ReplacedRows rows = ReplacedRows.open(file)) {
        assertThat(all(rows)).as("cut at %s", length).hasSize(whole + 1).endsWith(ROWS.get(2));
      }
    }
  }

  @Test
  void zerosAtTheEndAreNoRows() throws IOException {
    byte[] content = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(content, content.length + 100));
    try (ReplacedRows rows = ReplacedRows.open(file)) {
      assertThat(all(rows)).isEqualTo(ROWS);
    }
    assertThat(file).hasSize(content.length);
  }

  @Test
  void aRowThatWasChangedInTheMiddleIsRefused() throws IOException {
    byte[] content = Files.readAllBytes(file);
    content[18] ^= 1; // in the body of the first record
    Files.write(file, content);
    assertThatExceptionOfType(IntegrityException.class).isThrownBy(() -> ReplacedRows.open(file));
  }

  @Test
  void anotherVersionIsRefusedByName() throws IOException {
    byte[] content = Files.readAllBytes(file);
    content[7] = 2;
    Files.write(file, content);
    assertThatExceptionOfType(UnsupportedFormatException.class)
        .isThrownBy(() -> ReplacedRows.open(file))
        .withMessageContaining("version");
    content[0] = 'X';
    Files.write(file, content);
    assertThatExceptionOfType(IntegrityException.class).isThrownBy(() -> ReplacedRows.open(file));
  }
}
