package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.fusesource.leveldbjni.internal.NativeCache;
import org.fusesource.leveldbjni.internal.NativeCompressionType;
import org.fusesource.leveldbjni.internal.NativeDB;
import org.fusesource.leveldbjni.internal.NativeDB.DBException;
import org.fusesource.leveldbjni.internal.NativeOptions;
import org.fusesource.leveldbjni.internal.NativeReadOptions;
import org.fusesource.leveldbjni.internal.NativeSnapshot;
import org.fusesource.leveldbjni.internal.NativeWriteBatch;
import org.fusesource.leveldbjni.internal.NativeWriteOptions;
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
   * below the write buffer. A batch is a bounded part of a write buffer for the same reason, yet
   * large enough that its one sync does not count.
   */
  private static final Limits LIMITS = new Limits(64 << 10, 1 << 20, 8 << 20, 1 << 18);

  private static final byte[] NO_KEY = {};
  private static final Logger LOG = LoggerFactory.getLogger(LevelDbEngine.class);
  private static final NativeReadOptions GETS = getOptions();
  private static final NativeReadOptions SCANS = scanOptions();
  private static final NativeWriteOptions SYNCED = new NativeWriteOptions().sync(true);
  private static final NativeWriteOptions UNSYNCED = new NativeWriteOptions().sync(false);

  private final Path directory;
  private final NativeDB db;
  private final NativeCache cache;
  private final Gate gate = new Gate("store");
  private final Set<Child> children = ConcurrentHashMap.newKeySet();
  private volatile @Nullable StorageException failure;

  private LevelDbEngine(Path directory, NativeDB db, NativeCache cache) {
    this.directory = directory;
    this.db = db;
    this.cache = cache;
  }

  static LevelDbEngine open(Path directory, LevelDbConfig config) {
    NativeLibrary.load(config.nativeDirectory());
    NativeCache cache = new NativeCache(config.cacheBytes());
    boolean opened = false;
    try {
      NativeDB db = NativeDB.open(options(config, cache), directory.toFile());
      opened = true;
      return new LevelDbEngine(directory, db, cache);
    } catch (DBException e) {
      throw LevelDbErrors.opening(directory, e);
    } catch (IOException e) {
      throw LevelDbErrors.file("resolving the directory " + directory, e);
    } finally {
      if (!opened) {
        cache.delete();
      }
    }
  }

  private static NativeOptions options(LevelDbConfig config, NativeCache cache) {
    return new NativeOptions()
        .createIfMissing(true)
        .paranoidChecks(true)
        .writeBufferSize(config.writeBufferBytes())
        .blockSize(config.blockBytes())
        .maxOpenFiles(config.maxOpenFiles())
        .compression(
            config.snappy()
                ? NativeCompressionType.kSnappyCompression
                : NativeCompressionType.kNoCompression)
        .cache(cache);
  }

  static NativeReadOptions getOptions() {
    return new NativeReadOptions().verifyChecksums(true).fillCache(true);
  }

  /** A scan would only drive what single reads use out of the cache. */
  static NativeReadOptions scanOptions() {
    return new NativeReadOptions().verifyChecksums(true).fillCache(false);
  }

  Gate gate() {
    return gate;
  }

  Path directory() {
    return directory;
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
    try {
      byte @Nullable [] value = db.get(options, key.toArrayUnsafe());
      return value == null ? Optional.empty() : Optional.of(Bytes.wrap(value));
    } catch (DBException e) {
      throw LevelDbErrors.reading(directory, e);
    }
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
    return kept(new LevelDbCursor(this, db.iterator(options), range));
  }

  @Override
  public Snapshot snapshot() {
    long stamp = gate.enter();
    try {
      return kept(new LevelDbSnapshot(this, db.getSnapshot()));
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
    db.releaseSnapshot(snapshot);
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    long stamp = gate.enter();
    try {
      LIMITS.check(batch);
      if (!batch.isEmpty()) {
        NativeWriteBatch copy = new NativeWriteBatch();
        try {
          batch.forEach(new Copy(copy));
          apply(copy, durability);
        } finally {
          copy.delete();
        }
      }
    } finally {
      gate.leave(stamp);
    }
  }

  private record Copy(NativeWriteBatch target) implements WriteBatch.Visitor {

    @Override
    public void put(Bytes key, Bytes value) {
      target.put(key.toArrayUnsafe(), value.toArrayUnsafe());
    }

    @Override
    public void delete(Bytes key) {
      target.delete(key.toArrayUnsafe());
    }
  }

  /**
   * Writes the batch. A write that failed may have left a part of its record in the log, behind
   * which LevelDB would not find the next one; so it stays the last until the store was reopened.
   */
  private void apply(NativeWriteBatch batch, Durability durability) {
    StorageException before = failure;
    if (before != null) {
      throw new StorageException(
          StorageException.Kind.FATAL,
          "the store " + directory + " takes no writes since one failed; close and reopen it",
          before);
    }
    try {
      db.write(durability == Durability.DURABLE ? SYNCED : UNSYNCED, batch);
    } catch (DBException e) {
      RuntimeException told = LevelDbErrors.writing(directory, e);
      if (told instanceof StorageException failed) {
        failure = failed;
      }
      throw told;
    }
  }

  @Override
  public void flush() {
    long stamp = gate.enter();
    try {
      db.compactRange(NO_KEY, NO_KEY);
    } finally {
      gate.leave(stamp);
    }
  }

  @Override
  public void deleteRange(KeyRange range) {
    try (LevelDbCursor cursor = cursor(range)) {
      while (deleteSome(cursor)) {}
    }
  }

  private boolean deleteSome(LevelDbCursor cursor) {
    NativeWriteBatch batch = new NativeWriteBatch();
    try {
      int bytes = 0;
      boolean more = true;
      while (bytes < 1 << 20 && (more = cursor.next())) {
        byte[] key = cursor.rawKey();
        batch.delete(key);
        bytes += key.length + 16;
      }
      long stamp = gate.enter();
      try {
        if (bytes > 0) {
          apply(batch, Durability.DURABLE);
        }
      } finally {
        gate.leave(stamp);
      }
      return more;
    } finally {
      batch.delete();
    }
  }

  @Override
  public void compact(KeyRange range) {
    if (range.until().filter(range.from()::equals).isPresent()) {
      return;
    }
    flush();
    long stamp = gate.enter();
    try {
      db.compactRange(
          range.from().toArrayUnsafe(), range.until().map(Bytes::toArrayUnsafe).orElse(null));
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
    return StoreFiles.sizeBytes(directory);
  }

  @Override
  public void close() {
    gate.close(this::closeNative);
  }

  /** Children first: LevelDB ends the process when it meets one of a store that is gone. */
  private void closeNative() {
    if (!children.isEmpty()) {
      LOG.debug("closing {} open cursors and snapshots of {}", children.size(), directory);
    }
    children.forEach(Child::release);
    children.clear();
    db.delete();
    cache.delete();
  }
}
