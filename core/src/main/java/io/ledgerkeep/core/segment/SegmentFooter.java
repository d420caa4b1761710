package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;

/**
 * What stands behind the last frame: what the segment holds, and the digest of every frame.
 *
 * @param contents what the blocks sum up to
 * @param previousSegment the digest of the segment before, or nothing for the first
 * @param writer the release that wrote the segment
 * @param frames the frame table
 */
record SegmentFooter(
    SegmentContents contents, Bytes previousSegment, String writer, FrameTable frames) {

  static Bytes encode(
      SegmentContents contents, Bytes previousSegment, String writer, FrameTable.Builder frames) {
    ByteWriter out = new ByteWriter(1 << 12);
    contents.writeTo(out);
    out.sized(previousSegment).text(writer);
    frames.writeTo(out);
    return out.take();
  }

  static SegmentFooter decode(
      SegmentHeader header, String segment, Bytes bytes, long footerOffset) {
    ByteReader in = new ByteReader(bytes, "the footer of segment " + segment);
    SegmentContents contents = SegmentContents.readFrom(in);
    Bytes previousSegment = in.sized();
    if (!previousSegment.isEmpty() && previousSegment.size() != Digests.SIZE) {
      throw in.damaged("the digest of the segment before has a wrong size");
    }
    String writer = in.text();
    FrameTable frames = FrameTable.readFrom(in, segment, footerOffset, header.seal().isPresent());
    in.end();
    return new SegmentFooter(contents, previousSegment, writer, frames);
  }
}
