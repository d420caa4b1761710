package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import java.util.Optional;
import org.fusesource.leveldbjni.internal.NativeReadOptions;
import org.fusesource.leveldbjni.internal.NativeSnapshot;

/**
 * A snapshot over a native one, which it owns. Its own gate, always entered after that of the
 * engine, keeps reads and {@link #close} of different threads apart.
 */
final class LevelDbSnapshot implements StorageEngine.Snapshot, LevelDbEngine.Child {

  private final LevelDbEngine engine;
  private final NativeSnapshot snapshot;
  private final NativeReadOptions gets;
  private final NativeReadOptions scans;
  private final Gate gate = new Gate("snapshot");

  LevelDbSnapshot(LevelDbEngine engine, NativeSnapshot snapshot) {
    this.engine = engine;
    this.snapshot = snapshot;
    this.gets = NativeStore.getOptions().snapshot(snapshot);
    this.scans = NativeStore.scanOptions().snapshot(snapshot);
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    return engine.get(key, gets, gate);
  }

  @Override
  public StorageEngine.Cursor scan(KeyRange range) {
    return engine.scan(range, scans, gate);
  }

  @Override
  public void close() {
    engine.release(this);
  }

  /** Frees the native snapshot; the engine calls it with its gate held, the first time only. */
  @Override
  public void release() {
    gate.close(() -> engine.releaseNative(snapshot));
  }
}
