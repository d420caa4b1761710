package io.ledgerkeep;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;

/**
 * An immutable string of bytes, ordered as unsigned bytes.
 *
 * <p>Safe for any number of threads. {@link #wrap(byte[])} and {@link #slice(int, int)} copy
 * nothing: who wraps an array gives it away and must not change it any more. {@link #toString()}
 * tells the size only, so that no payload reaches a log by accident; {@link #hex()} tells the
 * content.
 */
public final class Bytes implements Comparable<Bytes> {

  /** The empty string of bytes. */
  public static final Bytes EMPTY = new Bytes(new byte[0], 0, 0);

  private static final HexFormat HEX = HexFormat.of();

  private final byte[] array;
  private final int offset;
  private final int size;

  private Bytes(byte[] array, int offset, int size) {
    this.array = array;
    this.offset = offset;
    this.size = size;
  }

  /** Returns the given array as bytes without copying it. The caller gives the array away. */
  public static Bytes wrap(byte[] array) {
    return array.length == 0 ? EMPTY : new Bytes(array, 0, array.length);
  }

  /** Returns a part of the given array without copying it. The caller gives the array away. */
  public static Bytes wrap(byte[] array, int offset, int size) {
    Objects.checkFromIndexSize(offset, size, array.length);
    return size == 0 ? EMPTY : new Bytes(array, offset, size);
  }

  /** Returns a copy of the given array. */
  public static Bytes copyOf(byte[] array) {
    return wrap(array.clone());
  }

  /** Returns the UTF-8 form of the text. */
  public static Bytes ofUtf8(String text) {
    return wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Returns the bytes that the hexadecimal text stands for.
   *
   * @throws IllegalArgumentException if the text is not an even number of hexadecimal digits
   */
  public static Bytes fromHex(String hex) {
    return wrap(HEX.parseHex(hex));
  }

  /** Returns the number of bytes. */
  public int size() {
    return size;
  }

  /** Returns whether there are no bytes. */
  public boolean isEmpty() {
    return size == 0;
  }

  /** Returns the byte at the index. */
  public byte get(int index) {
    return array[offset + Objects.checkIndex(index, size)];
  }

  /** Returns the bytes from {@code from} until {@code until} without copying them. */
  public Bytes slice(int from, int until) {
    Objects.checkFromToIndex(from, until, size);
    return wrap(array, offset + from, until - from);
  }

  /** Returns whether these bytes begin with the given ones. */
  public boolean startsWith(Bytes prefix) {
    return size >= prefix.size
        && Arrays.equals(
            array,
            offset,
            offset + prefix.size,
            prefix.array,
            prefix.offset,
            prefix.offset + prefix.size);
  }

  /** Returns a new array with these bytes. */
  public byte[] toArray() {
    return Arrays.copyOfRange(array, offset, offset + size);
  }

  /**
   * Returns an array with these bytes, without a copy where they fill their array. The array must
   * not be changed: for adapters that hand bytes to an interface that only reads them.
   */
  public byte[] toArrayUnsafe() {
    return offset == 0 && size == array.length ? array : toArray();
  }

  /** Returns a read-only buffer over these bytes. */
  public ByteBuffer asBuffer() {
    return ByteBuffer.wrap(array, offset, size).slice().asReadOnlyBuffer();
  }

  /** Copies these bytes into the target from the given index on. */
  public void copyTo(byte[] target, int targetOffset) {
    System.arraycopy(array, offset, target, targetOffset, size);
  }

  /**
   * Writes these bytes to the stream without copying them first.
   *
   * @throws UncheckedIOException if the stream fails
   */
  public void writeTo(OutputStream out) {
    try {
      out.write(array, offset, size);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Feeds these bytes to the digest without copying them first. */
  public void digestInto(MessageDigest digest) {
    digest.update(array, offset, size);
  }

  /** Returns these bytes read as UTF-8 text. */
  public String utf8() {
    return new String(array, offset, size, StandardCharsets.UTF_8);
  }

  /** Returns these bytes in lower-case hexadecimal digits. */
  public String hex() {
    return HEX.formatHex(array, offset, offset + size);
  }

  @Override
  public int compareTo(Bytes other) {
    return Arrays.compareUnsigned(
        array, offset, offset + size, other.array, other.offset, other.offset + other.size);
  }

  @Override
  public boolean equals(Object object) {
    return object instanceof Bytes other
        && size == other.size
        && (isSamePlace(other) || compareTo(other) == 0);
  }

  /** Most that are compared are the same ones, and may be large. */
  private boolean isSamePlace(Bytes other) {
    return array == other.array && offset == other.offset;
  }

  @Override
  public int hashCode() {
    int hash = 1;
    for (int i = offset; i < offset + size; i++) {
      hash = 31 * hash + array[i];
    }
    return hash;
  }

  @Override
  public String toString() {
    return "Bytes[size=" + size + "]";
  }
}
