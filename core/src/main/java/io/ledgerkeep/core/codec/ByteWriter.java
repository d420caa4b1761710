package io.ledgerkeep.core.codec;

import io.ledgerkeep.Bytes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Collects bytes: fixed-width numbers in big-endian order, so that they sort, and variable-length
 * ones (seven bits a byte, least significant first, high bit set on all but the last). For one
 * thread.
 */
public final class ByteWriter {

  private byte[] array;
  private int size;

  /** Creates an empty writer with room for about the given number of bytes. */
  public ByteWriter(int expectedBytes) {
    array = new byte[Math.max(16, expectedBytes)];
  }

  /** Adds one byte. */
  public ByteWriter u8(int value) {
    ensure(1);
    array[size++] = (byte) value;
    return this;
  }

  /** Adds a 4-byte number. */
  public ByteWriter u32(int value) {
    ensure(4);
    ByteBuffer.wrap(array).putInt(size, value);
    size += 4;
    return this;
  }

  /** Adds an 8-byte number. */
  public ByteWriter u64(long value) {
    ensure(8);
    ByteBuffer.wrap(array).putLong(size, value);
    size += 8;
    return this;
  }

  /** Adds a number of variable length; it is not negative. */
  public ByteWriter varint(long value) {
    ensure(10);
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      array[size++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    array[size++] = (byte) rest;
    return this;
  }

  /** Adds bytes as they are. */
  public ByteWriter raw(Bytes bytes) {
    ensure(bytes.size());
    bytes.copyTo(array, size);
    size += bytes.size();
    return this;
  }

  /** Adds bytes as they are. */
  public ByteWriter raw(byte[] bytes) {
    return raw(Bytes.wrap(bytes));
  }

  /** Adds the length, then the bytes. */
  public ByteWriter sized(Bytes bytes) {
    return varint(bytes.size()).raw(bytes);
  }

  /** Adds the length in UTF-8, then the text. */
  public ByteWriter text(String text) {
    return sized(Bytes.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Returns the number of bytes collected. */
  public int size() {
    return size;
  }

  /** Returns what was collected; the writer begins anew. */
  public Bytes take() {
    byte[] taken = size == array.length ? array : Arrays.copyOf(array, size);
    array = new byte[16];
    size = 0;
    return Bytes.wrap(taken);
  }

  /** Returns what was collected, which are secrets, and wipes the writer's own copy. */
  public byte[] takeAndWipe() {
    byte[] taken = Arrays.copyOf(array, size);
    Arrays.fill(array, (byte) 0);
    size = 0;
    return taken;
  }

  private void ensure(int more) {
    if (array.length - size < more) {
      long wanted =
          Math.max((long) size + more, Math.min(array.length * 2L, Integer.MAX_VALUE - 8));
      array = Arrays.copyOf(array, Math.toIntExact(wanted));
    }
  }
}
