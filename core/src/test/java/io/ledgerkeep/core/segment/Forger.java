package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.core.codec.Digests;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes segments anew as somebody without a key can: every header, checksum and digest fits, only
 * tags and commitments cannot be made.
 */
final class Forger {

  /** The stored bytes of a frame, and how they are said to be stored. */
  record Frame(Stream stream, int flags, int rawBytes, Bytes stored) {

    Frame stored(Bytes other) {
      return new Frame(stream, flags, rawBytes, other);
    }

    Frame flags(int other) {
      return new Frame(stream, other, rawBytes, stored);
    }
  }

  SegmentHeader header;
  final List<Frame> frames = new ArrayList<>();
  private final SegmentFooter footer;

  /** Takes a segment apart. */
  Forger(byte[] segment) {
    SegmentReader reader = Segments.reader(segment);
    header = reader.summary().header();
    footer = reader.footer();
    FrameTable table = footer.frames();
    for (int i = 0; i < table.size(); i++) {
      FrameHeader found = table.header(i);
      int at = (int) table.offset(i);
      Bytes stored = Bytes.wrap(segment, at + FrameHeader.BYTES, found.storedBytes());
      frames.add(new Frame(found.stream(), segment[at + 5], found.rawBytes(), stored));
    }
  }

  /** Puts it together again. */
  byte[] write() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    header.encode().writeTo(out);
    FrameTable.Builder table = new FrameTable.Builder();
    long[] offsets = new long[Stream.COUNT];
    for (int i = 0; i < frames.size(); i++) {
      Frame frame = frames.get(i);
      FrameHeader head =
          new FrameHeader(
              frame.stream,
              frame.flags,
              i,
              frame.rawBytes,
              frame.stored.size(),
              offsets[frame.stream.index()]);
      offsets[frame.stream.index()] += frame.rawBytes;
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      head.encode(Crc32c.of(frame.stored)).writeTo(bytes);
      frame.stored.writeTo(bytes);
      table.add(head, Bytes.wrap(Digests.SHA256.newDigest().digest(bytes.toByteArray())));
      out.writeBytes(bytes.toByteArray());
    }
    Bytes content =
        SegmentFooter.encode(footer.contents(), footer.previousSegment(), footer.writer(), table);
    var digest = Digests.SHA256.newDigest();
    Bytes end = FrameEncoder.footer(frames.size(), content, digest).bytes();
    header.encode().digestInto(digest);
    end.digestInto(digest);
    int footerAt = out.size();
    end.writeTo(out);
    new SegmentTrailer(footerAt, end.size(), Bytes.wrap(digest.digest())).encode().writeTo(out);
    return out.toByteArray();
  }
}
