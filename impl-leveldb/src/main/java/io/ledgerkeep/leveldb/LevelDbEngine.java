package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.fusesource.leveldbjni.internal.NativeReadOptions;
import org.fusesource.leveldbjni.internal.NativeSnapshot;
import org.fusesource.leveldbjni.internal.NativeWriteBatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A store of LevelDB and the owner of every native handle that belongs to it. */
final class LevelDbEngine implements StorageEngine {

  /** A native handle that has to be freed before the store is. */
  interface Child {

    /** Frees the handle. Called once, with the gate of the engine held. */
    void release();
  }

  /**
   * A value is held up to four times while it is written (by the caller, the native batch, the log
   * and the table in memory), and a table grows to the largest value in it; so values are kept well
   * below the write buffer: pieces of 1 MiB, and an eighth for what sealing adds to one. A batch is
   * a bounded part of a write buffer for the same reason, yet large enough that its one sync does
   * not count.
   */
  static final Limits LIMITS = new Limits(64 << 10, (1 << 20) + (1 << 17), 8 << 20, 1 << 18);

  /** How much of keys one batch of {@link #deleteRange} takes. */
  private static final int DELETE_BATCH_BYTES = 1 << 20;

  /** How much one step of {@link #compact} rewrites, about. */
  private static final long COMPACTION_BYTES = 64 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(LevelDbEngine.class);
  private static final NativeReadOptions GETS = NativeStore.getOptions();
  private static final NativeReadOptions SCANS = NativeStore.scanOptions();

  private final NativeStore store;
  private final Writer writer;
  private final StoreLock lock;
  private final Gate gate = new Gate("store");
  private final Set<Child> children = ConcurrentHashMap.newKeySet();

  /** Creates the engine of an open store; it owns all three. */
  LevelDbEngine(NativeStore store, Writer writer, StoreLock lock) {
    this.store = store;
    this.writer = writer;
    this.lock = lock;
  }

  Gate gate() {
    return gate;
  }

  Path directory() {
    return store.directory();
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    long stamp = gate.enter();
    try {
      return getInside(key, GETS);
    } finally {
      gate.leave(stamp);
    }
  }

  /** Reads for a snapshot, whose gate is entered too. */
  Optional<Bytes> get(Bytes key, NativeReadOptions options, Gate snapshotGate) {
    long stamp = gate.enter();
    try {
      long inner = snapshotGate.enter();
      try {
        return getInside(key, options);
      } finally {
        snapshotGate.leave(inner);
      }
    } finally {
      gate.leave(stamp);
    }
  }

  private Optional<Bytes> getInside(Bytes key, NativeReadOptions options) {
    if (key.isEmpty()) {
      return Optional.empty();
    }
    byte @Nullable [] value = store.get(key.toArrayUnsafe(), options);
    return value == null ? Optional.empty() : Optional.of(Bytes.wrap(value));
  }

  @Override
  public Cursor scan(KeyRange range) {
    return cursor(range);
  }

  private LevelDbCursor cursor(KeyRange range) {
    long stamp = gate.enter();
    try {
      return cursorInside(range, SCANS);
    } finally {
      gate.leave(stamp);
    }
  }

  /** Scans for a snapshot, whose gate is entered too. */
  Cursor scan(KeyRange range, NativeReadOptions options, Gate snapshotGate) {
    long stamp = gate.enter();
    try {
      long inner = snapshotGate.enter();
      try {
        return cursorInside(range, options);
      } finally {
        snapshotGate.leave(inner);
      }
    } finally {
      gate.leave(stamp);
    }
  }

  private LevelDbCursor cursorInside(KeyRange range, NativeReadOptions options) {
    return kept(new LevelDbCursor(this, store.iterator(options), range));
  }

  @Override
  public Snapshot snapshot() {
    long stamp = gate.enter();
    try {
      return kept(new LevelDbSnapshot(this, store.snapshot()));
    } finally {
      gate.leave(stamp);
    }
  }

  private <T extends Child> T kept(T child) {
    children.add(child);
    return child;
  }

  /** Frees the child unless it was freed before, by its owner or with the store. */
  void release(Child child) {
    gate.ifOpen(
        () -> {
          if (children.remove(child)) {
            child.release();
          }
        });
  }

  /** Frees a native snapshot; only from inside the gate. */
  void releaseNative(NativeSnapshot snapshot) {
    store.release(snapshot);
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    long stamp = gate.enter();
    try {
      LIMITS.check(batch);
      if (!batch.isEmpty()) {
        writer.write(batch, durability);
      }
    } finally {
      gate.leave(stamp);
    }
  }

  @Override
  public void flush() {
    long stamp = gate.enter();
    try {
      writer.flush();
    } finally {
      gate.leave(stamp);
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>Where the disk gets full of the deletes themselves, what was deleted so far is compacted
   * away first. The rest is then looked up anew, with what was put there meanwhile.
   */
  @Override
  public void deleteRange(KeyRange range) {
    // In one table with what they delete, deletes would stay: nothing would compact that table.
    flush();
    KeyRange rest = range;
    while (true) {
      Bytes reached = rest.from();
      try (LevelDbCursor cursor = cursor(rest)) {
        while (deleteSome(cursor)) {
          reached = cursor.key();
        }
        return;
      } catch (StorageException e) {
        if (!e.isOutOfSpace() || reached.equals(rest.from())) {
          throw e;
        }
      }
      compact(KeyRange.of(range.from(), reached));
      rest = new KeyRange(reached, range.until());
    }
  }

  /**
   * Deletes the next keys; returns whether there may be more. Every batch is synced, not only the
   * last: a commit that is synced meanwhile may lie in a later log than an unsynced batch.
   */
  private boolean deleteSome(LevelDbCursor cursor) {
    NativeWriteBatch batch = new NativeWriteBatch();
    try {
      int bytes = 0;
      while (bytes < DELETE_BATCH_BYTES && cursor.next()) {
        byte[] key = cursor.rawKey();
        batch.delete(key);
        bytes += key.length + Writer.MUTATION_BYTES;
      }
      if (bytes > 0) {
        delete(batch, bytes);
      }
      return bytes >= DELETE_BATCH_BYTES;
    } finally {
      batch.delete();
    }
  }

  private void delete(NativeWriteBatch batch, int bytes) {
    long stamp = gate.enter();
    try {
      writer.delete(batch, bytes);
    } finally {
      gate.leave(stamp);
    }
  }

  @Override
  public void compact(KeyRange range) {
    if (range.until().filter(range.from()::equals).isPresent()) {
      gate.requireOpen();
      return;
    }
    // A compaction chooses its levels before it flushes, so what it flushes could be left out.
    flush();
    for (KeyRange slice : slices(range)) {
      compactSlice(slice);
    }
  }

  private List<KeyRange> slices(KeyRange range) {
    long stamp = gate.enter();
    try {
      return Slices.of(range, COMPACTION_BYTES, store::tableBytes);
    } finally {
      gate.leave(stamp);
    }
  }

  /** A close waits for one slice, not for all of them. */
  private void compactSlice(KeyRange slice) {
    long stamp = gate.enter();
    try {
      writer.compact(slice);
    } finally {
      gate.leave(stamp);
    }
  }

  @Override
  public Limits limits() {
    gate.requireOpen();
    return LIMITS;
  }

  @Override
  public long sizeBytes() {
    gate.requireOpen();
    return StoreFiles.sizeBytes(directory());
  }

  @Override
  public void close() {
    gate.close(this::closeNative);
  }

  /** Children first: LevelDB ends the process when it meets one of a store that is gone. */
  private void closeNative() {
    if (!children.isEmpty()) {
      LOG.debug("closing {} open cursors and snapshots of {}", children.size(), directory());
    }
    children.forEach(Child::release);
    children.clear();
    writer.close();
    store.close();
    lock.close();
  }
}
