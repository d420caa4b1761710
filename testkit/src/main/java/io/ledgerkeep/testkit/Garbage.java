package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What deleted and replaced entries still take on a disk until they are compacted away. Guarded by
 * the lock of the disk.
 */
final class Garbage {

  private record Dead(long bytes, long lastChange) {}

  private final NavigableMap<Bytes, Dead> byKey = new TreeMap<>();
  private long bytes;

  long bytes() {
    return bytes;
  }

  /** Adds what the change of that number left behind at the key. */
  void add(Bytes key, long addedBytes, long change) {
    byKey.merge(key, new Dead(addedBytes, change), (a, b) -> new Dead(a.bytes + b.bytes, change));
    bytes += addedBytes;
  }

  /** Gives back what lies in the range and was dead before the oldest moment still looked at. */
  void release(KeyRange range, long oldestMoment) {
    NavigableMap<Bytes, Dead> affected =
        range
            .until()
            .map(until -> byKey.subMap(range.from(), true, until, false))
            .orElseGet(() -> byKey.tailMap(range.from(), true));
    affected
        .values()
        .removeIf(
            dead -> {
              boolean unseen = dead.lastChange <= oldestMoment;
              bytes -= unseen ? dead.bytes : 0;
              return unseen;
            });
  }
}
