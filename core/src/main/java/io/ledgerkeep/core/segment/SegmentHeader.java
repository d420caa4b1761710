package io.ledgerkeep.core.segment;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.error.UnsupportedFormatException;

/**
 * The first bytes of a segment: what has to be known before any frame is read.
 *
 * @param digests the digest of frames, leaves, roots and of the segment itself
 * @param genesisHash the identity of the chain
 * @param ledgerId the identity of the ledger, 16 bytes
 * @param attemptId the identity of the attempt to write the segment, 16 bytes, never used twice
 * @param firstHeight the height of the first block
 */
public record SegmentHeader(
    Digests digests, Bytes genesisHash, Bytes ledgerId, Bytes attemptId, long firstHeight) {

  static final int BYTES = 192;

  /** The size of the identities, in bytes. */
  public static final int ID_BYTES = 16;

  private static final int RESERVED_BYTES = 68;
  private static final int ZSTD = 1;
  private static final int PLAIN = 0;

  /** Checks the sizes. */
  public SegmentHeader {
    require(!genesisHash.isEmpty() && genesisHash.size() <= Block.MAX_HASH_BYTES, "genesis hash");
    require(ledgerId.size() == ID_BYTES, "ledger id");
    require(attemptId.size() == ID_BYTES, "attempt id");
    require(firstHeight >= 0, "first height");
  }

  Bytes encode() {
    ByteWriter out = new ByteWriter(BYTES);
    out.raw(SegmentFormat.MAGIC).u32(SegmentFormat.VERSION);
    out.u8(ZSTD).u8(digests.code()).u8(PLAIN).u8(genesisHash.size());
    out.raw(genesisHash).raw(new byte[Block.MAX_HASH_BYTES - genesisHash.size()]);
    out.raw(ledgerId).raw(attemptId).u64(firstHeight).raw(new byte[RESERVED_BYTES]);
    Bytes start = out.take();
    return new ByteWriter(BYTES).raw(start).u32(SegmentFormat.crc32c(start)).take();
  }

  static SegmentHeader decode(String segment, Bytes bytes) {
    SegmentFormat.expect(segment, "magic", SegmentFormat.MAGIC, bytes.slice(0, 8));
    ByteReader in = new ByteReader(bytes.slice(8, BYTES), "the header of segment " + segment);
    int crc = SegmentFormat.crc32c(bytes.slice(0, BYTES - 4));
    SegmentFormat.expect(
        segment, "header CRC", crc, new ByteReader(bytes.slice(BYTES - 4, BYTES), "").u32());
    SegmentFormat.requireVersion(segment, in.u32());
    requireKnown(segment, "compression", ZSTD, in.u8());
    Digests digests = digests(segment, in.u8());
    requireKnown(segment, "encryption", PLAIN, in.u8());
    int hashSize = in.u8();
    Bytes hash = in.raw(Block.MAX_HASH_BYTES);
    Bytes ledgerId = in.raw(ID_BYTES);
    Bytes attemptId = in.raw(ID_BYTES);
    long firstHeight = in.u64();
    requireZero(segment, in.raw(RESERVED_BYTES));
    if (hashSize < 1 || hashSize > Block.MAX_HASH_BYTES || firstHeight < 0) {
      throw in.damaged("genesis hash or first height is out of range");
    }
    requireZero(segment, hash.slice(hashSize, hash.size()));
    return new SegmentHeader(digests, hash.slice(0, hashSize), ledgerId, attemptId, firstHeight);
  }

  private static Digests digests(String segment, int code) {
    for (Digests digests : Digests.values()) {
      if (digests.code() == code) {
        return digests;
      }
    }
    throw unknown(segment, "digest", code);
  }

  private static void requireKnown(String segment, String what, int known, int found) {
    if (found != known) {
      throw unknown(segment, what, found);
    }
  }

  private static UnsupportedFormatException unknown(String segment, String what, int code) {
    return new UnsupportedFormatException(
        "segment " + segment + " uses " + what + " " + code + ", which this release does not know");
  }

  private static void requireZero(String segment, Bytes reserved) {
    for (int i = 0; i < reserved.size(); i++) {
      SegmentFormat.expect(segment, "reserved byte", (byte) 0, reserved.get(i));
    }
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalArgumentException("the " + what + " of a segment has a wrong size");
    }
  }
}
