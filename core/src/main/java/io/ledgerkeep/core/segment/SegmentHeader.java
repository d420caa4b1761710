package io.ledgerkeep.core.segment;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.sealing.SegmentKey;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.util.Optional;

/**
 * The first bytes of a segment: what has to be known before any frame is read.
 *
 * @param digests the digest of frames, leaves, roots and of the segment itself
 * @param genesisHash the identity of the chain
 * @param ledgerId the identity of the ledger, 16 bytes
 * @param attemptId the identity of the attempt to write the segment, 16 bytes, never used twice
 * @param firstHeight the height of the first block
 * @param seal what the frames are sealed with, or empty where they are in plain
 */
public record SegmentHeader(
    Digests digests,
    Bytes genesisHash,
    Bytes ledgerId,
    Bytes attemptId,
    long firstHeight,
    Optional<Seal> seal) {

  static final int BYTES = 192;

  /** The size of the identities, in bytes. */
  public static final int ID_BYTES = 16;

  private static final int ZSTD = 1;
  private static final int PLAIN = 0;
  private static final int SEALED = 1;

  /** Everything before the number of the key. */
  private static final int IDENTITY_BYTES = 120;

  /**
   * What the frames of a segment are sealed with.
   *
   * @param key the number of the archive key, from 1
   * @param salt the key of the segment is derived with it
   * @param commitment derived with that key: no other one opens this segment
   */
  public record Seal(int key, Bytes salt, Bytes commitment) {

    private static final int BYTES =
        Integer.BYTES + SegmentKey.SALT_BYTES + SegmentKey.COMMITMENT_BYTES;

    /** Checks number and sizes. */
    public Seal {
      require(key > 0, "number of the key");
      require(salt.size() == SegmentKey.SALT_BYTES, "salt");
      require(commitment.size() == SegmentKey.COMMITMENT_BYTES, "commitment");
    }

    static Seal of(SegmentKey key) {
      return new Seal(key.number(), key.salt(), key.commitment());
    }
  }

  /** Checks the sizes. */
  public SegmentHeader {
    require(!genesisHash.isEmpty() && genesisHash.size() <= Block.MAX_HASH_BYTES, "genesis hash");
    require(ledgerId.size() == ID_BYTES, "ledger id");
    require(attemptId.size() == ID_BYTES, "attempt id");
    require(firstHeight >= 0, "first height");
  }

  /** Creates the header of a segment in plain. */
  public SegmentHeader(
      Digests digests, Bytes genesisHash, Bytes ledgerId, Bytes attemptId, long firstHeight) {
    this(digests, genesisHash, ledgerId, attemptId, firstHeight, Optional.empty());
  }

  /** Returns the header of a segment that is sealed under the key. */
  SegmentHeader sealedUnder(SegmentKey key) {
    return new SegmentHeader(
        digests, genesisHash, ledgerId, attemptId, firstHeight, Optional.of(Seal.of(key)));
  }

  /** Returns what the key of the segment is derived from: what comes before the salt. */
  Bytes identity(int key) {
    return identity(new ByteWriter(IDENTITY_BYTES + Integer.BYTES), SEALED).u32(key).take();
  }

  Bytes encode() {
    ByteWriter out = identity(new ByteWriter(BYTES), seal.isPresent() ? SEALED : PLAIN);
    seal.ifPresentOrElse(
        by -> out.u32(by.key()).raw(by.salt()).raw(by.commitment()),
        () -> out.raw(new byte[Seal.BYTES]));
    Bytes start = out.take();
    return new ByteWriter(BYTES).raw(start).u32(Crc32c.of(start)).take();
  }

  private ByteWriter identity(ByteWriter out, int encryption) {
    out.raw(SegmentFormat.MAGIC).u32(SegmentFormat.VERSION);
    out.u8(ZSTD).u8(digests.code()).u8(encryption).u8(genesisHash.size());
    out.raw(genesisHash).raw(new byte[Block.MAX_HASH_BYTES - genesisHash.size()]);
    return out.raw(ledgerId).raw(attemptId).u64(firstHeight);
  }

  static SegmentHeader decode(String segment, Bytes bytes) {
    SegmentFormat.expect(segment, "magic", SegmentFormat.MAGIC, bytes.slice(0, 8));
    ByteReader in = new ByteReader(bytes.slice(8, BYTES), "the header of segment " + segment);
    int crc = Crc32c.of(bytes.slice(0, BYTES - 4));
    SegmentFormat.expect(
        segment, "header CRC", crc, new ByteReader(bytes.slice(BYTES - 4, BYTES), "").u32());
    SegmentFormat.requireVersion(segment, in.u32());
    requireKnown(segment, "compression", ZSTD, in.u8());
    Digests digests = digests(segment, in.u8());
    int encryption = in.u8();
    if (encryption != PLAIN && encryption != SEALED) {
      throw unknown(segment, "encryption", encryption);
    }
    int hashSize = in.u8();
    Bytes hash = in.raw(Block.MAX_HASH_BYTES);
    Bytes ledgerId = in.raw(ID_BYTES);
    Bytes attemptId = in.raw(ID_BYTES);
    long firstHeight = in.u64();
    Bytes seal = in.raw(Seal.BYTES);
    if (encryption == PLAIN) {
      requireZero(segment, seal);
    }
    if (hashSize < 1 || hashSize > Block.MAX_HASH_BYTES || firstHeight < 0) {
      throw in.damaged("genesis hash or first height is out of range");
    }
    requireZero(segment, hash.slice(hashSize, hash.size()));
    return new SegmentHeader(
        digests,
        hash.slice(0, hashSize),
        ledgerId,
        attemptId,
        firstHeight,
        encryption == PLAIN
            ? Optional.empty()
            : Optional.of(seal(new ByteReader(seal, "the header of segment " + segment))));
  }

  private static Seal seal(ByteReader in) {
    int key = in.u32();
    if (key < 1) {
      throw in.damaged("there is no archive key " + key);
    }
    return new Seal(key, in.raw(SegmentKey.SALT_BYTES), in.raw(SegmentKey.COMMITMENT_BYTES));
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
