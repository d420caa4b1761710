package io.ledgerkeep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class KeyRangeTest {

  private static Bytes hex(String hex) {
    return Bytes.fromHex(hex);
  }

  @Test
  void theLowerEndBelongsToARangeAndTheUpperDoesNot() {
    KeyRange range = KeyRange.of(hex("10"), hex("20"));
    assertThat(range.contains(hex("10"))).isTrue();
    assertThat(range.contains(hex("1fff"))).isTrue();
    assertThat(range.contains(hex("0fff"))).isFalse();
    assertThat(range.contains(hex("20"))).isFalse();
  }

  @Test
  void aRangeMayBeEmptyButNotEndBeforeItBegins() {
    assertThat(KeyRange.of(hex("10"), hex("10")).contains(hex("10"))).isFalse();
    assertThatIllegalArgumentException().isThrownBy(() -> KeyRange.of(hex("20"), hex("10")));
    assertThatIllegalArgumentException().isThrownBy(() -> KeyRange.of(hex("ff"), hex("7f")));
  }

  @Test
  void aPrefixRangeHoldsExactlyTheKeysWithThePrefix() {
    Random random = new Random(3);
    for (int i = 0; i < 20_000; i++) {
      Bytes prefix = few(random);
      Bytes key = few(random);
      assertThat(KeyRange.prefix(prefix).contains(key))
          .as("%s in the range of %s", key.hex(), prefix.hex())
          .isEqualTo(key.startsWith(prefix));
    }
  }

  /** Returns up to four bytes that are all at the ends of their range. */
  private static Bytes few(Random random) {
    byte[] ends = {0, 1, (byte) 0xFE, (byte) 0xFF};
    byte[] bytes = new byte[random.nextInt(5)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = ends[random.nextInt(ends.length)];
    }
    return Bytes.wrap(bytes);
  }

  @Test
  void noKeyLiesAboveThePrefixOfHighestBytes() {
    assertThat(KeyRange.prefix(hex("ffff")).until()).isEmpty();
    assertThat(KeyRange.prefix(hex("01ffff")).until()).contains(hex("02"));
    assertThat(KeyRange.prefix(Bytes.EMPTY)).isEqualTo(KeyRange.all());
  }

  @Test
  void aRangeWithoutUpperEndHoldsAllAbove() {
    assertThat(KeyRange.all().contains(Bytes.EMPTY)).isTrue();
    assertThat(KeyRange.all().contains(hex("ffffffff"))).isTrue();
    assertThat(KeyRange.atLeast(hex("80")).contains(hex("7fff"))).isFalse();
    assertThat(KeyRange.atLeast(hex("80"))).isEqualTo(new KeyRange(hex("80"), Optional.empty()));
  }
}
