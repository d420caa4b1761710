package io.ledgerkeep.benchmarks;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.storage.WriteBatch;

/** Compresses the values of rows in chunks, on one thread, with one context for all of them. */
final class BareZstd implements AutoCloseable {

  private static final int CHUNK_BYTES = 64 << 10;
  private static final int LEVEL = 3;

  private final ZstdCompressCtx context = new ZstdCompressCtx().setLevel(LEVEL);
  private final byte[] chunk = new byte[CHUNK_BYTES];
  private final byte[] compressed = new byte[(int) Zstd.compressBound(CHUNK_BYTES)];
  private int filled;
  private long bytesOut;

  void add(WriteBatch rows) {
    rows.forEach(
        new WriteBatch.Visitor() {
          @Override
          public void put(Bytes key, Bytes value) {
            add(value);
          }

          @Override
          public void delete(Bytes key) {}
        });
  }

  private void add(Bytes value) {
    byte[] bytes = value.toArrayUnsafe();
    for (int at = 0; at < bytes.length; ) {
      int size = Math.min(CHUNK_BYTES - filled, bytes.length - at);
      System.arraycopy(bytes, at, chunk, filled, size);
      at += size;
      filled += size;
      if (filled == CHUNK_BYTES) {
        end();
      }
    }
  }

  /** Compresses what is left; returns the size of all compressed chunks so far. */
  long end() {
    if (filled > 0) {
      bytesOut += context.compressByteArray(compressed, 0, compressed.length, chunk, 0, filled);
      filled = 0;
    }
    return bytesOut;
  }

  @Override
  public void close() {
    context.close();
  }
}
