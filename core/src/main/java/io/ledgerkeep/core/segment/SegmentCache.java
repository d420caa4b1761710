package io.ledgerkeep.core.segment;

import com.google.common.base.Throwables;
import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import com.google.common.util.concurrent.ExecutionError;
import com.google.common.util.concurrent.UncheckedExecutionException;
import io.ledgerkeep.Bytes;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/** Keeps decoded frames of any number of segments; serves any number of threads. */
public final class SegmentCache {

  /** Names a frame by the digest of its segment, so that readers of one segment share it. */
  private record Key(Bytes segmentDigest, int frame) {}

  private final Cache<Key, Bytes> frames;

  /** Creates a cache that keeps about so many bytes of decoded frames. */
  public SegmentCache(long maxBytes) {
    frames =
        CacheBuilder.newBuilder()
            .maximumWeight(maxBytes)
            .concurrencyLevel(1)
            .<Key, Bytes>weigher((key, frame) -> frame.size())
            .build();
  }

  /** Returns the frame; loads it once however many threads ask. */
  Bytes get(Bytes segmentDigest, int frame, Supplier<Bytes> load) {
    try {
      return frames.get(new Key(segmentDigest, frame), load::get);
    } catch (ExecutionException | UncheckedExecutionException | ExecutionError e) {
      Throwables.throwIfUnchecked(Objects.requireNonNull(e.getCause()));
      throw new AssertionError("loading throws nothing checked", e);
    }
  }
}
