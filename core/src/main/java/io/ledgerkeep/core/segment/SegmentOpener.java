package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.error.IntegrityException;
import java.security.MessageDigest;

/** Reads both ends of a segment and checks that they fit each other. For one thread. */
final class SegmentOpener {

  /** The footer of most segments fits into the first read. */
  private static final int SUFFIX_BYTES = 64 << 10;

  private static final int MIN_BYTES = SegmentHeader.BYTES + SegmentTrailer.BYTES;

  private final FrameSource source;
  private final String name;
  private final long size;
  private final SegmentTrailer trailer;
  private final Bytes footerFrame;
  private final Bytes headerBytes;
  private final SegmentHeader header;

  SegmentOpener(ArchiveStore store, String name) {
    this.source = new FrameSource(store, name);
    this.name = name;
    this.size = sizeIn(store);
    int suffixBytes = (int) Math.min(size, SUFFIX_BYTES);
    Bytes suffix = source.read(size - suffixBytes, suffixBytes);
    trailer = SegmentTrailer.decode(name, last(suffix, SegmentTrailer.BYTES), size);
    int endBytes = trailer.footerBytes() + SegmentTrailer.BYTES;
    footerFrame =
        endBytes <= suffixBytes
            ? last(suffix, endBytes).slice(0, trailer.footerBytes())
            : source.read(trailer.footerOffset(), trailer.footerBytes());
    headerBytes = source.read(0, SegmentHeader.BYTES);
    header = SegmentHeader.decode(name, headerBytes);
  }

  private long sizeIn(ArchiveStore store) {
    long found =
        store
            .size(name)
            .orElseThrow(
                () ->
                    new IntegrityException("segment " + name + " is missing in " + store.place()));
    if (found < MIN_BYTES) {
      throw SegmentFormat.damaged(name, "it has " + found + " bytes only");
    }
    return found;
  }

  private static Bytes last(Bytes bytes, int size) {
    return bytes.slice(bytes.size() - size, bytes.size());
  }

  FrameSource source() {
    return source;
  }

  SegmentHeader header() {
    return header;
  }

  /** Returns the footer, which has the digest that the trailer names. */
  SegmentFooter open() {
    MessageDigest digest = header.digests().newDigest();
    headerBytes.digestInto(digest);
    footerFrame.digestInto(digest);
    SegmentFormat.expect(name, "digest", trailer.digest(), Bytes.wrap(digest.digest()));
    SegmentFooter footer =
        SegmentFooter.decode(
            header,
            name,
            last(footerFrame, footerFrame.size() - FrameHeader.BYTES),
            trailer.footerOffset());
    requireFrame(footer.frames().size());
    SegmentFormat.expect(
        name, "first height", header.firstHeight(), footer.contents().firstHeight());
    return footer;
  }

  private void requireFrame(int number) {
    int bytes = footerFrame.size() - FrameHeader.BYTES;
    FrameHeader expected = new FrameHeader(Stream.FOOTER, 0, number, bytes, bytes, 0);
    FrameHeader found = FrameHeader.check(name, expected, footerFrame);
    SegmentFormat.expect(name, "flags of the footer", expected.flags(), found.flags());
  }

  SegmentSummary summary(SegmentFooter footer) {
    return new SegmentSummary(
        header,
        footer.contents(),
        footer.previousSegment(),
        footer.frames().rawBytes(Stream.DATA),
        size,
        trailer.digest());
  }
}
