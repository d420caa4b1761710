package io.ledgerkeep.leveldb;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class SlicesTest {

  private final TreeSet<Bytes> keys = new TreeSet<>();

  @Test
  void slicesFollowOneAnotherFromEndToEnd() {
    Random random = new Random(5);
    for (int i = 0; i < 10_000; i++) {
      byte[] key = new byte[1 + random.nextInt(12)];
      random.nextBytes(key);
      keys.add(Bytes.wrap(key));
    }
    for (KeyRange range :
        List.of(
            KeyRange.all(),
            KeyRange.atLeast(Bytes.fromHex("7f00")),
            KeyRange.prefix(Bytes.fromHex("42")),
            KeyRange.of(Bytes.fromHex("10"), Bytes.fromHex("f0")))) {
      List<KeyRange> slices = Slices.of(range, 100, this::count);

      assertThat(slices.get(0).from()).isEqualTo(range.from());
      assertThat(slices.get(slices.size() - 1).until()).isEqualTo(range.until());
      for (int i = 1; i < slices.size(); i++) {
        assertThat(slices.get(i - 1).until()).contains(slices.get(i).from());
      }
      assertThat(slices).allSatisfy(slice -> assertThat(count(slice)).isBetween(1L, 100L));
      assertThat(slices.size()).isLessThanOrEqualTo((int) (count(range) / 50 + 2));
    }
  }

  @Test
  void keysThatDifferLateAreCutToo() {
    for (int i = 0; i < 5000; i++) {
      keys.add(Bytes.ofUtf8("body/%020d".formatted(i)));
    }

    List<KeyRange> slices = Slices.of(KeyRange.prefix(Bytes.ofUtf8("body/")), 500, this::count);

    assertThat(slices).hasSizeBetween(10, 21);
    assertThat(slices).allSatisfy(slice -> assertThat(count(slice)).isLessThanOrEqualTo(500));
  }

  @Test
  void whatCannotBeCutIsOneSlice() {
    keys.add(Bytes.fromHex("0102"));

    assertThat(Slices.of(KeyRange.all(), 0, range -> range.contains(keys.first()) ? 99 : 0))
        .anyMatch(slice -> slice.contains(keys.first()));
    KeyRange narrow = KeyRange.of(Bytes.fromHex("0102"), Bytes.fromHex("010200"));
    assertThat(Slices.of(narrow, 10, range -> 99)).containsExactly(narrow);
  }

  private long count(KeyRange range) {
    return range.until().isPresent()
        ? keys.subSet(range.from(), range.until().get()).size()
        : keys.tailSet(range.from()).size();
  }
}
