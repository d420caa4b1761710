package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Crc32c;

/**
 * What stands before the stored bytes of a frame. All of it but the checksums binds the frame to
 * its place and is readable without a key.
 *
 * @param stream the stream the frame is a part of
 * @param flags how the bytes are stored
 * @param number the place of the frame in the file, from 0
 * @param rawBytes the decoded size
 * @param storedBytes the size of what follows the header
 * @param firstRaw the offset in the stream of the first decoded byte
 */
record FrameHeader(
    Stream stream, int flags, int number, int rawBytes, int storedBytes, long firstRaw) {

  static final int BYTES = 40;

  /** The stored bytes are one zstd frame. */
  static final int COMPRESSED = 1;

  /** The zstd frame needs the segment's dictionary. */
  static final int WITH_DICTIONARY = 2;

  /** The stored bytes are sealed. */
  static final int SEALED = 4;

  private static final int CHECKED_BYTES = 32;

  /** Returns the header, with the checksum of the stored bytes that will follow it. */
  Bytes encode(int storedCrc) {
    Bytes start = bound();
    return new ByteWriter(BYTES).raw(start).u32(Crc32c.of(start)).u32(storedCrc).take();
  }

  /** Returns the header without its checksums: all that sealed bytes are bound to. */
  Bytes bound() {
    ByteWriter out = new ByteWriter(CHECKED_BYTES);
    out.raw(SegmentFormat.FRAME_MAGIC).u8(stream.code()).u8(flags).u8(0).u8(0);
    out.u32(number).u32(rawBytes).u32(storedBytes).u32(0).u64(firstRaw);
    return out.take();
  }

  boolean isSealed() {
    return (flags & SEALED) != 0;
  }

  /**
   * Returns the header of a whole frame if both checksums hold and it is the one expected, flags
   * aside.
   */
  static FrameHeader check(String segment, FrameHeader expected, Bytes frame) {
    String place = expected.place();
    Bytes start = frame.slice(0, CHECKED_BYTES);
    ByteReader in = new ByteReader(frame.slice(CHECKED_BYTES, BYTES), place);
    SegmentFormat.expect(segment, place + " header CRC", Crc32c.of(start), in.u32());
    SegmentFormat.expect(
        segment, place + " CRC", Crc32c.of(frame.slice(BYTES, frame.size())), in.u32());
    int flags = start.get(5) & 0xFF;
    FrameHeader found =
        new FrameHeader(
            expected.stream,
            flags,
            expected.number,
            expected.rawBytes,
            expected.storedBytes,
            expected.firstRaw);
    SegmentFormat.expect(segment, place + " header", found.bound(), start);
    return found;
  }

  /** Returns which frame this is, for messages. */
  String place() {
    return "frame " + number + " (" + stream.label() + ")";
  }
}
