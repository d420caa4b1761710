package io.ledgerkeep.core.segment;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.UnsupportedFormatException;

/** The numbers of format version 1, and what all its parts share. */
final class SegmentFormat {

  static final int VERSION = 1;

  /** Begins with a byte above 127 and has line ends, so that a text-mode copy shows at once. */
  static final Bytes MAGIC = Bytes.fromHex("894c4b530d0a1a0a");

  static final Bytes END_MAGIC = Bytes.ofUtf8("LKSEND1\n");
  static final Bytes FRAME_MAGIC = Bytes.ofUtf8("LKF1");

  static final int FRAME_SHIFT = 16;

  /** The decoded size of every frame of a stream but its last. */
  static final int FRAME_BYTES = 1 << FRAME_SHIFT;

  /** The largest footer; 200 000 frames and more fit. */
  static final int MAX_FOOTER_BYTES = 16 << 20;

  static final int MAX_DICTIONARY_BYTES = 16 << 10;
  static final int MAX_BLOCKS = 8192;
  static final int LEAF_PAIR_BYTES = 64;
  static final int LOCATOR_ENTRY_BYTES = 8;

  private SegmentFormat() {}

  /** Returns if both are equal; otherwise says where the segment is damaged. */
  static void expect(String segment, String what, Object expected, Object found) {
    if (!expected.equals(found)) {
      throw damaged(segment, what + ": expected " + text(expected) + ", found " + text(found));
    }
  }

  static IntegrityException damaged(String segment, String problem) {
    return new IntegrityException("segment " + segment + " is damaged: " + problem);
  }

  static void requireVersion(String segment, int version) {
    if (version != VERSION) {
      throw new UnsupportedFormatException(
          "segment "
              + segment
              + " has format version "
              + version
              + "; this release reads version "
              + VERSION);
    }
  }

  private static String text(Object value) {
    return value instanceof Bytes bytes ? bytes.hex() : String.valueOf(value);
  }
}
