package io.ledgerkeep.core.segment;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDictDecompress;
import com.github.luben.zstd.ZstdException;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Digests;
import java.util.function.Supplier;

/** Checks frames against the frame table and decodes them. Serves any number of threads. */
final class FrameDecoder {

  private final String segment;
  private final Digests digests;
  private final FrameTable table;
  private final Supplier<ZstdDictDecompress> dictionary;

  /** Creates a decoder; the dictionary is asked for when a frame needs it. */
  FrameDecoder(
      String segment, Digests digests, FrameTable table, Supplier<ZstdDictDecompress> dictionary) {
    this.segment = segment;
    this.digests = digests;
    this.table = table;
    this.dictionary = dictionary;
  }

  /** Returns the header of a frame if digest and checksums hold and it is the one expected. */
  FrameHeader check(int number, Bytes frame) {
    FrameHeader expected = table.header(number);
    var digest = digests.newDigest();
    frame.digestInto(digest);
    SegmentFormat.expect(
        segment, expected.place() + " digest", table.digest(number), Bytes.wrap(digest.digest()));
    return FrameHeader.check(segment, expected, frame);
  }

  /** Returns the decoded bytes of a frame that passes {@link #check}. */
  Bytes decode(int number, Bytes frame) {
    FrameHeader header = check(number, frame);
    return switch (header.flags()) {
      case 0 -> raw(header, frame);
      case FrameHeader.COMPRESSED -> decompress(header, frame, false);
      case FrameHeader.COMPRESSED | FrameHeader.WITH_DICTIONARY -> decompress(header, frame, true);
      default -> throw SegmentFormat.damaged(segment, header.place() + " has unknown flags");
    };
  }

  private Bytes raw(FrameHeader header, Bytes frame) {
    SegmentFormat.expect(
        segment, header.place() + " size", header.rawBytes(), header.storedBytes());
    return frame.slice(FrameHeader.BYTES, frame.size());
  }

  private Bytes decompress(FrameHeader header, Bytes frame, boolean withDictionary) {
    byte[] source = frame.toArrayUnsafe();
    int from = FrameHeader.BYTES;
    int size = header.storedBytes();
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
