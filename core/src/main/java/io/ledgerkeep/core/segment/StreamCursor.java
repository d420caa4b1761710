package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.IntegrityException;
import java.util.Iterator;

/** Reads a part of a stream from its decoded frames, one after the other. For one thread. */
final class StreamCursor {

  private final String what;
  private final Iterator<Bytes> frames;
  private Bytes frame = Bytes.EMPTY;
  private int at;
  private long left;

  /**
   * Creates a cursor.
   *
   * @param what names the stream in messages
   * @param frames the frames from the one that holds the first byte on
   * @param skip where in the first frame to begin
   * @param bytes how many bytes there are to read
   */
  StreamCursor(String what, Iterator<Bytes> frames, int skip, long bytes) {
    this.what = what;
    this.frames = frames;
    this.left = bytes;
    if (bytes > 0) {
      frame = frames.next();
      at = skip;
    }
  }

  /** Returns the number of bytes left. */
  long left() {
    return left;
  }

  /** Reads a number of variable length; it is not negative. */
  long varint() {
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

  /** Reads a number that counts bytes or things of a byte at least that are still to be read. */
  int length(long atMost) {
    long length = varint();
    if (length > Math.min(atMost, Integer.MAX_VALUE)) {
      throw damaged("a length of " + length + " exceeds the " + atMost + " bytes left");
    }
    return (int) length;
  }

  /**
   * Reads the given number of bytes; a part of a frame where they lie in one, else an array of
   * their own.
   */
  Bytes raw(int size) {
    if (size > left) {
      throw damaged(size + " bytes were expected, " + left + " are left");
    }
    refill();
    left -= size;
    if (size <= frame.size() - at) {
      at += size;
      return frame.slice(at - size, at);
    }
    byte[] joined = new byte[size];
    for (int filled = 0; filled < size; ) {
      refill();
      int some = Math.min(size - filled, frame.size() - at);
      frame.slice(at, at + some).copyTo(joined, filled);
      at += some;
      filled += some;
    }
    return Bytes.wrap(joined);
  }

  /** Skips the given number of bytes. */
  void skip(long size) {
    for (long rest = size; rest > 0; rest -= SegmentFormat.FRAME_BYTES) {
      raw((int) Math.min(rest, SegmentFormat.FRAME_BYTES));
    }
  }

  /** Returns if nothing is left. */
  void end() {
    if (left != 0) {
      throw damaged(left + " bytes are left over");
    }
  }

  IntegrityException damaged(String problem) {
    return new IntegrityException(what + " is damaged: " + problem);
  }

  private int u8() {
    if (left == 0) {
      throw damaged("it ends too early");
    }
    refill();
    left--;
    return frame.get(at++) & 0xFF;
  }

  private void refill() {
    if (at == frame.size() && frames.hasNext()) {
      frame = frames.next();
      at = 0;
    }
  }
}
