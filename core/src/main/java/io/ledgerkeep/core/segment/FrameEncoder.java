package io.ledgerkeep.core.segment;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Crc32c;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.sealing.SegmentKey;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Makes frames: compresses, seals, sums and digests. Serves any number of threads until it is
 * closed.
 */
final class FrameEncoder implements AutoCloseable {

  static final int LEVEL = 3;

  /** A frame ready to be written: header and stored bytes, and the digest over both. */
  record Encoded(FrameHeader header, Bytes bytes, Bytes digest) {}

  private final Digests digests;
  private final @Nullable Dictionary dictionary;
  private final Optional<SegmentKey> key;
  private final Queue<Tools> idle = new ConcurrentLinkedQueue<>();

  FrameEncoder(Digests digests, @Nullable Dictionary dictionary, Optional<SegmentKey> key) {
    this.digests = digests;
    this.dictionary = dictionary;
    this.key = key;
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
      int flags = (smaller ? flags() : 0) | (key.isPresent() ? FrameHeader.SEALED : 0);
      int content = smaller ? compressed : size;
      int stored = key.map(by -> by.sealedBytes(content)).orElse(content);
      FrameHeader header = new FrameHeader(stream, flags, number, size, stored, firstRaw);
      byte[] frame = new byte[FrameHeader.BYTES + stored];
      System.arraycopy(smaller ? tools.scratch : raw, 0, frame, FrameHeader.BYTES, content);
      key.ifPresent(by -> by.seal(number, header.bound(), frame, FrameHeader.BYTES, content));
      return finished(header, frame, tools.digest);
    } finally {
      idle.add(tools);
    }
  }

  /** Encodes the footer: stored as it is, so that it can be read without anything else. */
  static Encoded footer(int number, Bytes raw, MessageDigest digest) {
    FrameHeader header = new FrameHeader(Stream.FOOTER, 0, number, raw.size(), raw.size(), 0);
    byte[] frame = new byte[FrameHeader.BYTES + raw.size()];
    raw.copyTo(frame, FrameHeader.BYTES);
    return finished(header, frame, digest);
  }

  /** Puts the header before the stored bytes. */
  private static Encoded finished(FrameHeader header, byte[] frame, MessageDigest digest) {
    int crc = Crc32c.of(Bytes.wrap(frame, FrameHeader.BYTES, header.storedBytes()));
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
