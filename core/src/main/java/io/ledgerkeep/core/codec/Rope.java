package io.ledgerkeep.core.codec;

import io.ledgerkeep.Bytes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * Bytes in several parts that are never put together without need: a large payload is hashed and
 * stored in pieces without a copy of it.
 */
public final class Rope {

  private final List<Bytes> parts;
  private final long size;

  private Rope(List<Bytes> parts) {
    this.parts = parts;
    long sum = 0;
    for (Bytes part : parts) {
      sum += part.size();
    }
    this.size = sum;
  }

  /** Returns the parts as one rope. */
  public static Rope of(Bytes... parts) {
    return new Rope(List.of(parts));
  }

  /** Returns the parts as one rope. */
  public static Rope of(List<Bytes> parts) {
    return new Rope(List.copyOf(parts));
  }

  /** Returns the number of bytes. */
  public long size() {
    return size;
  }

  /** Returns the parts, in order. */
  public List<Bytes> parts() {
    return parts;
  }

  /** Returns all bytes in one; no copy where there is one part. */
  public Bytes join() {
    if (parts.size() == 1) {
      return parts.get(0);
    }
    byte[] joined = new byte[Math.toIntExact(size)];
    int at = 0;
    for (Bytes part : parts) {
      part.copyTo(joined, at);
      at += part.size();
    }
    return Bytes.wrap(joined);
  }

  /** Feeds all bytes to the digest. */
  public void digestInto(MessageDigest digest) {
    for (Bytes part : parts) {
      part.digestInto(digest);
    }
  }

  /** Returns the bytes cut into pieces of exactly the given size, but for the last. */
  public List<Bytes> pieces(int pieceBytes) {
    List<Bytes> pieces = new ArrayList<>();
    List<Bytes> open = new ArrayList<>();
    int room = pieceBytes;
    for (Bytes part : parts) {
      int from = 0;
      while (from < part.size()) {
        int until = Math.min(part.size(), from + room);
        open.add(part.slice(from, until));
        room -= until - from;
        from = until;
        if (room == 0) {
          pieces.add(new Rope(open).join());
          open = new ArrayList<>();
          room = pieceBytes;
        }
      }
    }
    if (!open.isEmpty()) {
      pieces.add(new Rope(open).join());
    }
    return pieces;
  }
}
