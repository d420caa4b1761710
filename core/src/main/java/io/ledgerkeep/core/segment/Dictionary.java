package io.ledgerkeep.core.segment;

import com.github.luben.zstd.ZstdDictCompress;
import com.github.luben.zstd.ZstdDictDecompress;
import io.ledgerkeep.Bytes;

/**
 * What zstd knows beforehand of the data. Serves any number of threads; the native memory goes with
 * the object, so that nobody can close it under somebody else's hands.
 */
final class Dictionary {

  private final Bytes content;
  private final ZstdDictCompress compress;

  Dictionary(Bytes content) {
    this.content = content;
    this.compress = new ZstdDictCompress(content.toArray(), FrameEncoder.LEVEL);
  }

  Bytes content() {
    return content;
  }

  ZstdDictCompress compress() {
    return compress;
  }

  /** Returns the other side of a dictionary; an array of its own, since zstd-jni keeps it. */
  static ZstdDictDecompress decompress(Bytes content) {
    return new ZstdDictDecompress(content.toArray());
  }
}
