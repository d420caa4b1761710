package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.core.codec.Digests;

/**
 * The last bytes of a segment. A file is sealed if they fit it.
 *
 * @param footerOffset where the footer frame begins
 * @param footerBytes its size with its header
 * @param digest the digest of header and footer frame, and so of every byte
 */
record SegmentTrailer(long footerOffset, int footerBytes, Bytes digest) {

  static final int BYTES = 64;
  private static final int CHECKED_BYTES = 52;

  Bytes encode() {
    ByteWriter out = new ByteWriter(BYTES);
    out.u64(footerOffset).u32(footerBytes).u32(SegmentFormat.VERSION).raw(digest).u32(0);
    Bytes start = out.take();
    return new ByteWriter(BYTES)
        .raw(start)
        .u32(Crc32c.of(start))
        .raw(SegmentFormat.END_MAGIC)
        .take();
  }

  /** Reads the trailer of a file of the given size; it says nothing that the size contradicts. */
  static SegmentTrailer decode(String segment, Bytes bytes, long fileBytes) {
    SegmentFormat.expect(
        segment, "end magic", SegmentFormat.END_MAGIC, bytes.slice(CHECKED_BYTES + 4, BYTES));
    Bytes start = bytes.slice(0, CHECKED_BYTES);
    ByteReader in = new ByteReader(bytes, "the trailer of segment " + segment);
    long footerOffset = in.u64();
    int footerBytes = in.u32();
    int version = in.u32();
    Bytes digest = in.raw(Digests.SIZE);
    int reserved = in.u32();
    SegmentFormat.expect(segment, "trailer CRC", Crc32c.of(start), in.u32());
    SegmentFormat.requireVersion(segment, version);
    SegmentFormat.expect(segment, "reserved number", 0, reserved);
    if (footerOffset < SegmentHeader.BYTES
        || footerBytes <= FrameHeader.BYTES
        || footerBytes > SegmentFormat.MAX_FOOTER_BYTES
        || footerOffset != fileBytes - BYTES - footerBytes) {
      throw SegmentFormat.damaged(
          segment,
          "a footer of "
              + footerBytes
              + " bytes at "
              + footerOffset
              + " does not fit a file of "
              + fileBytes);
    }
    return new SegmentTrailer(footerOffset, footerBytes, digest);
  }
}
