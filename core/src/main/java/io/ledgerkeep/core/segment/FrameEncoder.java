package io.ledgerkeep.core.segment;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Digests;
import java.security.MessageDigest;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/** Makes frames: compresses, sums and digests. Serves any number of threads until it is closed. */
final class FrameEncoder implements AutoCloseable {

  static final int LEVEL = 3;

  /** A frame ready to be written: header and stored bytes, and the digest over both. */
  record Encoded(FrameHeader header, Bytes bytes, Bytes digest) {}

  private final Digests digests;
  private final @Nullable Dictionary dictionary;
  private final Queue<Tools> idle = new ConcurrentLinkedQueue<>();

  FrameEncoder(Digests digests, @Nullable Dictionary dictionary) {
    this.digests = digests;
    this.dictionary = dictionary;
  }

  static ZstdCompressCtx context(@Nullable Dictionary dictionary) {
    ZstdCompressCtx context = new ZstdCompressCtx();
    context.setLevel(LEVEL).setDictID(false);
    if (dictionary != null) {
      context.loadDict(dictionary.compress());
    }
    return context;
  }

  /** Encodes a frame; stored as it is where zstd does not make it smaller. */
  Encoded encode(Stream stream, int number, long firstRaw, byte[] raw, int size) {
    Tools tools = borrow();
    try {
      int compressed =
          tools.context.compressByteArray(tools.scratch, 0, tools.scratch.length, raw, 0, size);
      boolean smaller = compressed < size;
      int stored = smaller ? compressed : size;
      FrameHeader header =
          new FrameHeader(stream, smaller ? flags() : 0, number, size, stored, firstRaw);
      return frame(header, smaller ? tools.scratch : raw, tools.digest);
    } finally {
      idle.add(tools);
    }
  }

  /** Encodes the footer: stored as it is, so that it can be read without anything else. */
  static Encoded footer(int number, Bytes raw, MessageDigest digest) {
    FrameHeader header = new FrameHeader(Stream.FOOTER, 0, number, raw.size(), raw.size(), 0);
    return frame(header, raw.toArrayUnsafe(), digest);
  }

  private static Encoded frame(FrameHeader header, byte[] stored, MessageDigest digest) {
    byte[] frame = new byte[FrameHeader.BYTES + header.storedBytes()];
    System.arraycopy(stored, 0, frame, FrameHeader.BYTES, header.storedBytes());
    int crc = SegmentFormat.crc32c(Bytes.wrap(stored, 0, header.storedBytes()));
    header.encode(crc).copyTo(frame, 0);
    return new Encoded(header, Bytes.wrap(frame), Bytes.wrap(digest.digest(frame)));
  }

  private int flags() {
    return dictionary == null
        ? FrameHeader.COMPRESSED
        : FrameHeader.COMPRESSED | FrameHeader.WITH_DICTIONARY;
  }

  private Tools borrow() {
    Tools tools = idle.poll();
    return tools == null ? new Tools(context(dictionary), digests.newDigest()) : tools;
  }

  /** Frees the native memory; no thread may be encoding. */
  @Override
  public void close() {
    for (Tools tools = idle.poll(); tools != null; tools = idle.poll()) {
      tools.context.close();
    }
  }

  private static final class Tools {

    private final ZstdCompressCtx context;
    private final MessageDigest digest;
    private final byte[] scratch = new byte[(int) Zstd.compressBound(SegmentFormat.FRAME_BYTES)];

    Tools(ZstdCompressCtx context, MessageDigest digest) {
      this.context = context;
      this.digest = digest;
    }
  }
}
