package io.ledgerkeep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BytesTest {

  private static Bytes bytes(int... values) {
    byte[] array = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      array[i] = (byte) values[i];
    }
    return Bytes.wrap(array);
  }

  @Test
  void bytesAreOrderedUnsigned() {
    List<Bytes> ordered =
        List.of(
            Bytes.EMPTY,
            bytes(0),
            bytes(0, 0),
            bytes(0, 0xFF),
            bytes(1),
            bytes(0x7F),
            bytes(0x80),
            bytes(0xFF),
            bytes(0xFF, 0));
    List<Bytes> shuffled = new ArrayList<>(ordered);
    java.util.Collections.shuffle(shuffled, new Random(1));
    shuffled.sort(null);
    assertThat(shuffled).isEqualTo(ordered);
  }

  @Test
  void aSliceIsEqualToACopyOfIt() {
    byte[] array = {9, 1, 2, 3, 9};
    Bytes slice = Bytes.wrap(array, 1, 3);
    Bytes copy = Bytes.copyOf(new byte[] {1, 2, 3});
    assertThat(slice).isEqualTo(copy).hasSameHashCodeAs(copy).isEqualByComparingTo(copy);
    assertThat(slice.hex()).isEqualTo("010203");
    assertThat(slice.slice(1, 3)).isEqualTo(bytes(2, 3));
    assertThat(slice.slice(3, 3)).isSameAs(Bytes.EMPTY);
    assertThat(slice.toArray()).containsExactly(1, 2, 3);
    assertThat(slice.toArrayUnsafe()).containsExactly(1, 2, 3);
    assertThat(slice.get(0)).isEqualTo((byte) 1);
    assertThat(slice).isNotEqualTo(bytes(1, 2)).isNotEqualTo("010203");
  }

  @Test
  void theEndsOfASliceAreKept() {
    Bytes slice = Bytes.wrap(new byte[10], 2, 5);
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> slice.get(5));
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> slice.get(-1));
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> slice.slice(0, 6));
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> slice.slice(3, 2));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> Bytes.wrap(new byte[3], 2, 2));
  }

  @Test
  void aCopyDoesNotFollowTheArray() {
    byte[] array = {1, 2};
    Bytes copy = Bytes.copyOf(array);
    array[0] = 7;
    assertThat(copy).isEqualTo(bytes(1, 2));
    copy.toArray()[0] = 7;
    assertThat(copy).isEqualTo(bytes(1, 2));
    assertThatExceptionOfType(ReadOnlyBufferException.class)
        .isThrownBy(() -> copy.asBuffer().put(0, (byte) 7));
  }

  @Test
  void everyWayOutTellsTheSame() throws Exception {
    byte[] noise = new byte[300];
    new Random(5).nextBytes(noise);
    Bytes slice = Bytes.wrap(noise, 20, 250);
    byte[] expected = Arrays.copyOfRange(noise, 20, 270);

    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    slice.writeTo(stream);
    assertThat(stream.toByteArray()).isEqualTo(expected);
    byte[] target = new byte[260];
    slice.copyTo(target, 10);
    assertThat(Arrays.copyOfRange(target, 10, 260)).isEqualTo(expected);
    assertThat(slice.asBuffer()).isEqualTo(ByteBuffer.wrap(expected));
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    slice.digestInto(digest);
    assertThat(digest.digest()).isEqualTo(MessageDigest.getInstance("SHA-256").digest(expected));
    assertThat(Bytes.fromHex(slice.hex())).isEqualTo(slice);
    assertThat(Bytes.ofUtf8("größer").utf8()).isEqualTo("größer");
  }

  @Test
  void aStreamThatFailsIsTold() {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("full");
          }
        };
    assertThatExceptionOfType(UncheckedIOException.class).isThrownBy(() -> bytes(1).writeTo(full));
  }

  @Test
  void whatIsNoHexIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> Bytes.fromHex("abc"));
    assertThatIllegalArgumentException().isThrownBy(() -> Bytes.fromHex("zz"));
    assertThat(Bytes.fromHex("")).isSameAs(Bytes.EMPTY);
    assertThat(Bytes.fromHex("AbFf")).isEqualTo(bytes(0xAB, 0xFF));
  }

  @Test
  void aPrefixIsWhatBytesBeginWith() {
    assertThat(bytes(1, 2, 3).startsWith(bytes(1, 2))).isTrue();
    assertThat(bytes(1, 2, 3).startsWith(Bytes.EMPTY)).isTrue();
    assertThat(bytes(1, 2, 3).startsWith(bytes(1, 2, 3))).isTrue();
    assertThat(bytes(1, 2, 3).startsWith(bytes(2))).isFalse();
    assertThat(bytes(1, 2).startsWith(bytes(1, 2, 3))).isFalse();
  }

  @Test
  void noContentReachesALog() {
    assertThat(Bytes.ofUtf8("secret")).hasToString("Bytes[size=6]");
    assertThat(new Transaction("id", Bytes.ofUtf8("secret")).toString()).doesNotContain("secret");
  }
}
