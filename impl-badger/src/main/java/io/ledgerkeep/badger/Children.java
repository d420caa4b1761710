package io.ledgerkeep.badger;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What has to be ended at the sidecar when a cursor or a snapshot is closed, or its store is. One
 * that nobody has closed and nobody can reach any more is ended when the next one is begun.
 */
final class Children {

  /** What a cursor or a snapshot refers to for as long as somebody can use it. */
  static final class Handle {}

  private final ReferenceQueue<Handle> unreachable = new ReferenceQueue<>();
  private final Map<Reference<? extends Handle>, Runnable> endings = new ConcurrentHashMap<>();

  /**
   * Remembers what ends a child that refers to the handle, but is not referred to by the ending.
   *
   * @return what ends it now, at the first run
   */
  Runnable add(Handle handle, Runnable ending) {
    for (var lost = unreachable.poll(); lost != null; lost = unreachable.poll()) {
      end(lost);
    }
    Reference<Handle> reference = new WeakReference<>(handle, unreachable);
    endings.put(reference, ending);
    return () -> end(reference);
  }

  private void end(Reference<? extends Handle> reference) {
    Runnable ending = endings.remove(reference);
    if (ending != null) {
      ending.run();
    }
  }

  /** Ends all. */
  void close() {
    endings.keySet().forEach(this::end);
  }
}
