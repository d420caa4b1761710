package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.fusesource.leveldbjni.internal.NativeCache;
import org.fusesource.leveldbjni.internal.NativeCompressionType;
import org.fusesource.leveldbjni.internal.NativeDB;
import org.fusesource.leveldbjni.internal.NativeDB.DBException;
import org.fusesource.leveldbjni.internal.NativeIterator;
import org.fusesource.leveldbjni.internal.NativeOptions;
import org.fusesource.leveldbjni.internal.NativeRange;
import org.fusesource.leveldbjni.internal.NativeReadOptions;
import org.fusesource.leveldbjni.internal.NativeSnapshot;
import org.fusesource.leveldbjni.internal.NativeWriteBatch;
import org.fusesource.leveldbjni.internal.NativeWriteOptions;
import org.jspecify.annotations.Nullable;

/**
 * LevelDB itself. Nothing here keeps a call from meeting a close: whoever calls is inside the
 * {@link Gate} of the engine.
 */
final class NativeStore {

  private static final byte[] BELOW_ALL_KEYS = {};
  private static final byte[] ABOVE_ALL_KEYS = aboveAllKeys();
  private static final NativeWriteOptions SYNCED = new NativeWriteOptions().sync(true);
  private static final NativeWriteOptions UNSYNCED = new NativeWriteOptions().sync(false);

  private final Path directory;
  private final NativeDB db;
  private final NativeCache cache;

  private NativeStore(Path directory, NativeDB db, NativeCache cache) {
    this.directory = directory;
    this.db = db;
    this.cache = cache;
  }

  static NativeStore open(Path directory, LevelDbConfig config, boolean create) throws IOException {
    NativeCache cache = new NativeCache(config.cacheBytes());
    NativeDB db = null;
    try {
      db = NativeDB.open(options(config, cache).createIfMissing(create), directory.toFile());
      return new NativeStore(directory, db, cache);
    } catch (DBException e) {
      throw LevelDbErrors.opening(directory, e);
    } finally {
      if (db == null) {
        cache.delete();
      }
    }
  }

  private static NativeOptions options(LevelDbConfig config, NativeCache cache) {
    return new NativeOptions()
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

  /** A scan would only drive out of the cache what single reads use. */
  static NativeReadOptions scanOptions() {
    return new NativeReadOptions().verifyChecksums(true).fillCache(false);
  }

  private static byte[] aboveAllKeys() {
    byte[] key = new byte[LevelDbEngine.LIMITS.maxKeyBytes() + 1];
    Arrays.fill(key, (byte) 0xFF);
    return key;
  }

  Path directory() {
    return directory;
  }

  byte @Nullable [] get(byte[] key, NativeReadOptions options) {
    try {
      return db.get(options, key);
    } catch (DBException e) {
      throw LevelDbErrors.reading(directory, e);
    }
  }

  NativeIterator iterator(NativeReadOptions options) {
    return db.iterator(options);
  }

  NativeSnapshot snapshot() {
    return db.getSnapshot();
  }

  void release(NativeSnapshot snapshot) {
    db.releaseSnapshot(snapshot);
  }

  void write(NativeWriteBatch batch, boolean synced) {
    try {
      db.write(synced ? SYNCED : UNSYNCED, batch);
    } catch (DBException e) {
      throw LevelDbErrors.writing(directory, e);
    }
  }

  /**
   * Turns what is in memory into a table, synced and entered in a synced manifest: the first thing
   * a compaction does, also of a range that lies below all keys and has nothing else to do.
   *
   * <p>A compaction does not say whether it failed. With paranoid checks the first failure in the
   * background stays and fails every later write, so an empty one tells.
   */
  void flush() {
    db.compactRange(BELOW_ALL_KEYS, BELOW_ALL_KEYS);
    writeNothing();
  }

  /** Rewrites the tables that hold keys of the range. */
  void compact(KeyRange range) {
    db.compactRange(
        range.from().toArrayUnsafe(), range.until().map(Bytes::toArrayUnsafe).orElse(null));
    writeNothing();
  }

  private void writeNothing() {
    NativeWriteBatch nothing = new NativeWriteBatch();
    try {
      write(nothing, false);
    } finally {
      nothing.delete();
    }
  }

  /** Returns about how many bytes the tables hold of the range. */
  long tableBytes(KeyRange range) {
    byte[] until = range.until().map(Bytes::toArrayUnsafe).orElse(ABOVE_ALL_KEYS);
    return db.getApproximateSizes(new NativeRange(range.from().toArrayUnsafe(), until))[0];
  }

  /** Returns the table of its levels that LevelDB prints. */
  String statistics() {
    return db.getProperty("leveldb.stats");
  }

  /** Frees the store. Every iterator and snapshot was freed before. */
  void close() {
    db.delete();
    cache.delete();
  }
}
