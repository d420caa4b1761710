package io.ledgerkeep.core.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.IntegrityException;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ByteReaderTest {

  private static ByteReader reader(Bytes bytes) {
    return new ByteReader(bytes, "a thing");
  }

  private static void assertDamaged(String hex, Consumer<ByteReader> read) {
    assertThatExceptionOfType(IntegrityException.class)
        .isThrownBy(() -> read.accept(reader(Bytes.fromHex(hex))))
        .withMessageStartingWith("a thing is damaged: ");
  }

  @ParameterizedTest
  @ValueSource(
      longs = {0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0xFFFFFFFFL, 1L << 32, 1L << 56, Long.MAX_VALUE})
  void numbersComeBack(long number) {
    Bytes bytes =
        new ByteWriter(1).varint(number).u64(number).u64(~number).u32((int) number).take();
    ByteReader in = reader(bytes);
    assertThat(in.varint()).isEqualTo(number);
    assertThat(in.u64()).isEqualTo(number);
    assertThat(in.u64()).isEqualTo(~number);
    assertThat(in.u32()).isEqualTo((int) number);
    in.end();
  }

  @Test
  void fixedNumbersSortAsTheirBytes() {
    long[] ascending = {0, 1, 255, 256, 0xFFFFFFFFL, 1L << 32, Long.MAX_VALUE};
    Bytes previous = Bytes.EMPTY;
    for (long number : ascending) {
      Bytes bytes = new ByteWriter(8).u64(number).take();
      assertThat(bytes).isGreaterThan(previous);
      previous = bytes;
    }
  }

  @Test
  void theFormOfNumbersIsFixed() {
    Bytes bytes = new ByteWriter(0).u8(0x1FF).u32(0x01020304).u64(5).varint(300).take();
    assertThat(bytes.hex()).isEqualTo("ff" + "01020304" + "0000000000000005" + "ac02");
  }

  @Test
  void bytesAndTextsComeBackWhateverTheirSize() {
    Random random = new Random(2);
    ByteWriter out = new ByteWriter(0);
    for (int size = 0; size < 300; size++) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      out.sized(Bytes.wrap(bytes)).text("ü".repeat(size)).raw(bytes);
    }
    ByteReader in = reader(out.take());
    random = new Random(2);
    for (int size = 0; size < 300; size++) {
      byte[] bytes = new byte[size];
      random.nextBytes(bytes);
      assertThat(in.sized()).isEqualTo(Bytes.wrap(bytes));
      assertThat(in.text()).isEqualTo("ü".repeat(size));
      assertThat(in.raw(size)).isEqualTo(Bytes.wrap(bytes));
    }
    in.end();
  }

  @Test
  void aWriterBeginsAnewAfterATake() {
    ByteWriter out = new ByteWriter(4);
    Bytes first = out.u32(7).take();
    Bytes second = out.u32(8).take();
    assertThat(first.hex()).isEqualTo("00000007");
    assertThat(second.hex()).isEqualTo("00000008");
    assertThat(out.size()).isZero();
    assertThat(out.take()).isEqualTo(Bytes.EMPTY);
  }

  @Test
  void whatDoesNotFitIsDamage() {
    assertDamaged("", ByteReader::u8);
    assertDamaged("010203", ByteReader::u32);
    assertDamaged("01020304050607", ByteReader::u64);
    assertDamaged("", ByteReader::varint);
    assertDamaged("80", ByteReader::varint);
    assertDamaged("808080808080808080", ByteReader::varint);
    assertDamaged("ffffffffffffffffff7f", ByteReader::varint);
    assertDamaged("0211", ByteReader::sized);
    assertDamaged("ffffffffffffffff7f11", ByteReader::sized);
    assertDamaged("0211", ByteReader::text);
    assertDamaged("0211", ByteReader::count);
    assertDamaged("11", in -> in.raw(2));
    assertDamaged("11", in -> in.raw(-1));
    assertDamaged("11", ByteReader::end);
  }

  @ParameterizedTest
  @ValueSource(strings = {"01ff", "02c0af", "03eda0bd", "0261ff", "02c3", "04f09f98"})
  void bytesThatAreNoUtf8AreDamage(String hex) {
    assertDamaged(hex, ByteReader::text);
  }

  @Test
  void theReplacementCharacterItselfIsText() {
    Bytes bytes = new ByteWriter(0).text("a\uFFFDb").take();
    assertThat(reader(bytes).text()).isEqualTo("a\uFFFDb");
  }

  @Test
  void aReaderTellsWhereItIs() {
    ByteReader in = reader(Bytes.fromHex("0102030405"));
    in.u8();
    assertThat(in.position()).isEqualTo(1);
    assertThat(in.left()).isEqualTo(4);
    assertThat(in.rest().hex()).isEqualTo("02030405");
    assertThat(in.left()).isZero();
    assertThat(in.rest()).isEqualTo(Bytes.EMPTY);
    in.end();
  }
}
