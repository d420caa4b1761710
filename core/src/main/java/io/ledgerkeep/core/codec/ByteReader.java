package io.ledgerkeep.core.codec;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.IntegrityException;

/**
 * Reads what {@link ByteWriter} wrote, without copies. Whatever does not fit is an {@link
 * IntegrityException} that names what was being read. For one thread.
 */
public final class ByteReader {

  private final Bytes bytes;
  private final String what;
  private int at;

  /** Begins at the first byte; {@code what} names the bytes in messages. */
  public ByteReader(Bytes bytes, String what) {
    this.bytes = bytes;
    this.what = what;
  }

  /** Reads one byte. */
  public int u8() {
    need(1);
    return bytes.get(at++) & 0xFF;
  }

  /** Reads a 4-byte number. */
  public int u32() {
    need(4);
    int value = 0;
    for (int i = 0; i < 4; i++) {
      value = (value << 8) | (bytes.get(at++) & 0xFF);
    }
    return value;
  }

  /** Reads an 8-byte number. */
  public long u64() {
    return ((long) u32() << 32) | (u32() & 0xFFFFFFFFL);
  }

  /** Reads a number of variable length; it is not negative. */
  public long varint() {
    long value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      int next = u8();
      value |= (long) (next & 0x7F) << shift;
      if (next < 0x80) {
        return value;
      }
    }
    throw damaged("a number is too long");
  }

  /** Reads a number of variable length that has 31 bits at most. */
  public int number() {
    long value = varint();
    if (value > Integer.MAX_VALUE) {
      throw damaged("the number " + value + " is too large");
    }
    return (int) value;
  }

  /** Reads a number of variable length that must fit an array. */
  public int length() {
    long length = varint();
    if (length > bytes.size() - at) {
      throw damaged(
          "a length of " + length + " exceeds the " + (bytes.size() - at) + " bytes left");
    }
    return (int) length;
  }

  /** Reads a count of things that take one byte each at least. */
  public int count() {
    return length();
  }

  /** Reads the given number of bytes, as a part of what is read. */
  public Bytes raw(int size) {
    need(size);
    Bytes part = bytes.slice(at, at + size);
    at += size;
    return part;
  }

  /** Reads a length, then bytes. */
  public Bytes sized() {
    return raw(length());
  }

  /** Reads a length, then text in UTF-8. */
  public String text() {
    Bytes bytes = sized();
    String text = bytes.utf8();
    // Bytes that are no UTF-8 read as the replacement character, and do not come back as they were.
    if (text.indexOf('\uFFFD') >= 0 && !Bytes.ofUtf8(text).equals(bytes)) {
      throw damaged("a text is no UTF-8");
    }
    return text;
  }

  /** Reads all that is left. */
  public Bytes rest() {
    return raw(bytes.size() - at);
  }

  /** Returns the number of bytes left. */
  public int left() {
    return bytes.size() - at;
  }

  /** Returns where the next byte is read. */
  public int position() {
    return at;
  }

  /** Returns if nothing is left. */
  public void end() {
    if (left() != 0) {
      throw damaged(left() + " bytes are left over");
    }
  }

  /** Returns the exception that says what is wrong with the bytes. */
  public IntegrityException damaged(String problem) {
    return new IntegrityException(what + " is damaged: " + problem);
  }

  private void need(int size) {
    if (size < 0 || size > left()) {
      throw damaged(size + " bytes were expected, " + left() + " are left");
    }
  }
}
