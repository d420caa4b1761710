package io.ledgerkeep.core.rows;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LastRowsTest {

  private static final int ROWS = 1_500_000;

  @TempDir Path directory;

  @Test
  void onlyTheLastRowOfAKeyCountsHoweverManyThereAre() throws IOException {
    Random random = new Random(1);
    long[] keys = random.longs(10_000).toArray();
    Map<Long, Long> expected = new HashMap<>();
    Path file = directory.resolve("rows");
    Files.writeString(file, "left of another");
    try (LastRows rows = new LastRows(file)) {
      assertThat(rows.sum()).contains(new LastRows.Sum(0, 0));
      for (int i = 0; i < ROWS; i++) {
        long key = keys[random.nextInt(keys.length)];
        long row = random.nextInt(10) == 0 ? LastRows.NONE : random.nextLong();
        rows.add(key, row);
        expected.put(key, row);
      }
      assertThat(file).exists();
      assertThat(rows.sum())
          .contains(
              new LastRows.Sum(
                  expected.values().stream().mapToLong(row -> row).sum(),
                  expected.values().stream().filter(row -> row != LastRows.NONE).count()));
    }
    assertThat(file).doesNotExist();
  }

  @Test
  void tooManyAreNotTold() {
    try (LastRows rows = new LastRows(directory.resolve("rows"), 2)) {
      rows.add(1, 5);
      rows.add(2, 5);
      assertThat(rows.sum()).isPresent();
      rows.add(3, 5);
      assertThat(rows.sum()).isEmpty();
    }
  }
}
