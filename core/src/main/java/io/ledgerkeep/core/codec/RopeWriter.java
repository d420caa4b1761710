package io.ledgerkeep.core.codec;

import io.ledgerkeep.Bytes;
import java.util.ArrayList;
import java.util.List;

/** Collects bytes as {@link ByteWriter} does, but leaves large ones where they are. */
public final class RopeWriter {

  private static final int LARGE_BYTES = 64 << 10;

  private final List<Bytes> done = new ArrayList<>();
  private final ByteWriter small;

  /** Creates an empty writer with room for about the given number of bytes of small things. */
  public RopeWriter(int expectedBytes) {
    small = new ByteWriter(expectedBytes);
  }

  /** Adds a number of variable length; it is not negative. */
  public RopeWriter varint(long value) {
    small.varint(value);
    return this;
  }

  /** Adds the length in UTF-8, then the text. */
  public RopeWriter text(String text) {
    small.text(text);
    return this;
  }

  /** Adds the length, then the bytes. */
  public RopeWriter sized(Bytes bytes) {
    return varint(bytes.size()).raw(bytes);
  }

  /** Adds bytes as they are. */
  public RopeWriter raw(Bytes bytes) {
    if (bytes.size() < LARGE_BYTES) {
      small.raw(bytes);
      return this;
    }
    if (small.size() > 0) {
      done.add(small.take());
    }
    done.add(bytes);
    return this;
  }

  /** Returns what was collected; the writer begins anew. */
  public Rope take() {
    if (small.size() > 0 || done.isEmpty()) {
      done.add(small.take());
    }
    Rope rope = Rope.of(done);
    done.clear();
    return rope;
  }
}
