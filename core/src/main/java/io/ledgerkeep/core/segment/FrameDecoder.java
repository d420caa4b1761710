package io.ledgerkeep.core.segment;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDictDecompress;
import com.github.luben.zstd.ZstdException;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.sealing.SegmentKey;
import java.util.Optional;
import java.util.function.Supplier;

/** Checks frames against the frame table, opens and decodes them. Serves any number of threads. */
final class FrameDecoder {

  private final String segment;
  private final Digests digests;
  private final FrameTable table;
  private final Optional<Supplier<SegmentKey>> key;
  private final Supplier<ZstdDictDecompress> dictionary;

  /**
   * Creates a decoder.
   *
   * @param key asked for when a frame is opened; empty where the segment is in plain
   * @param dictionary asked for when a frame needs it
   */
  FrameDecoder(
      String segment,
      Digests digests,
      FrameTable table,
      Optional<Supplier<SegmentKey>> key,
      Supplier<ZstdDictDecompress> dictionary) {
    this.segment = segment;
    this.digests = digests;
    this.table = table;
    this.key = key;
    this.dictionary = dictionary;
  }

  /** Returns the header of a frame if digest and checksums hold and it is the one expected. */
  FrameHeader check(int number, Bytes frame) {
    FrameHeader expected = table.header(number);
    var digest = digests.newDigest();
    frame.digestInto(digest);
    SegmentFormat.expect(
        segment, expected.place() + " digest", table.digest(number), Bytes.wrap(digest.digest()));
    FrameHeader header = FrameHeader.check(segment, expected, frame);
    if (header.isSealed() != key.isPresent()) {
      throw SegmentFormat.damaged(
          segment,
          header.place()
              + (header.isSealed()
                  ? " is sealed, and the segment is not"
                  : " is in plain, and the segment is sealed"));
    }
    return header;
  }

  /** Returns the decoded bytes of a frame that passes {@link #check}. */
  Bytes decode(int number, Bytes frame) {
    FrameHeader header = check(number, frame);
    byte[] stored = frame.toArrayUnsafe();
    if (key.isEmpty()) {
      return decode(header, stored, FrameHeader.BYTES, header.storedBytes());
    }
    byte[] opened = open(header, stored, key.get().get());
    return decode(header, opened, 0, opened.length);
  }

  private byte[] open(FrameHeader header, byte[] frame, SegmentKey by) {
    return by.open(header.number(), header.bound(), frame, FrameHeader.BYTES, header.storedBytes())
        .orElseThrow(
            () ->
                SegmentFormat.damaged(
                    segment,
                    header.place()
                        + " does not fit its seal: it was changed, or belongs elsewhere"));
  }

  private Bytes decode(FrameHeader header, byte[] source, int from, int size) {
    return switch (header.flags() & ~FrameHeader.SEALED) {
      case 0 -> raw(header, source, from, size);
      case FrameHeader.COMPRESSED -> decompress(header, source, from, size, false);
      case FrameHeader.COMPRESSED | FrameHeader.WITH_DICTIONARY ->
          decompress(header, source, from, size, true);
      default -> throw SegmentFormat.damaged(segment, header.place() + " has unknown flags");
    };
  }

  private Bytes raw(FrameHeader header, byte[] source, int from, int size) {
    SegmentFormat.expect(segment, header.place() + " size", header.rawBytes(), size);
    return Bytes.wrap(source, from, size);
  }

  private Bytes decompress(
      FrameHeader header, byte[] source, int from, int size, boolean withDictionary) {
    // Zstd writes as much as the frame says, so what it says is compared first.
    long declared = Zstd.getFrameContentSize(source, from, size);
    SegmentFormat.expect(
        segment, header.place() + " decoded size", (long) header.rawBytes(), declared);
    byte[] raw = new byte[header.rawBytes()];
    try {
      long decoded =
          withDictionary
              ? Zstd.decompressFastDict(raw, 0, source, from, size, dictionary.get())
              : Zstd.decompressByteArray(raw, 0, raw.length, source, from, size);
      if (decoded == raw.length) {
        return Bytes.wrap(raw);
      }
    } catch (ZstdException e) {
      throw SegmentFormat.damaged(segment, header.place() + ": " + e.getMessage());
    }
    throw SegmentFormat.damaged(segment, header.place() + " cannot be decompressed");
  }
}
