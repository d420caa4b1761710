package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import java.util.Arrays;
import org.fusesource.leveldbjni.internal.NativeDB.DBException;
import org.fusesource.leveldbjni.internal.NativeIterator;
import org.jspecify.annotations.Nullable;

/**
 * A cursor over a native iterator, which it owns.
 *
 * <p>Each step asks the iterator once and fetches the key; the value is fetched when it is wanted,
 * since fetching either costs more than the step itself.
 */
final class LevelDbCursor implements StorageEngine.Cursor, LevelDbEngine.Child {

  private enum At {
    START,
    ROW,
    END
  }

  /** The least key there can be: the empty one is refused. */
  private static final byte[] LEAST_KEY = {0};

  private final LevelDbEngine engine;
  private final NativeIterator iterator;
  private final byte[] from;
  private final byte @Nullable [] until;

  // The iterator is used inside the gate of the engine and under this monitor: the gate keeps it
  // from being freed by the engine, the monitor from being used by two threads.
  private volatile boolean released;
  private At at = At.START;
  private byte @Nullable [] key;
  private @Nullable Bytes value;

  LevelDbCursor(LevelDbEngine engine, NativeIterator iterator, KeyRange range) {
    this.engine = engine;
    this.iterator = iterator;
    this.from = range.from().isEmpty() ? LEAST_KEY : range.from().toArrayUnsafe();
    this.until = range.until().map(Bytes::toArrayUnsafe).orElse(null);
  }

  @Override
  public synchronized boolean next() {
    long stamp = enter();
    try {
      return step();
    } catch (DBException e) {
      at = At.END;
      throw LevelDbErrors.reading(engine.directory(), e);
    } finally {
      engine.gate().leave(stamp);
    }
  }

  private boolean step() throws DBException {
    switch (at) {
      case START -> iterator.seek(from);
      case ROW -> iterator.next();
      case END -> {
        return false;
      }
    }
    value = null;
    key = iterator.isValid() ? iterator.key() : null;
    boolean inside = key != null && (until == null || Arrays.compareUnsigned(key, until) < 0);
    at = inside ? At.ROW : At.END;
    return inside;
  }

  @Override
  public synchronized Bytes key() {
    return Bytes.wrap(rawKey());
  }

  /** Returns the key itself, which must not be changed. */
  synchronized byte[] rawKey() {
    requireOpen();
    return rowKey();
  }

  @Override
  public synchronized Bytes value() {
    long stamp = enter();
    try {
      rowKey();
      if (value == null) {
        value = Bytes.wrap(iterator.value());
      }
      return value;
    } catch (DBException e) {
      throw LevelDbErrors.reading(engine.directory(), e);
    } finally {
      engine.gate().leave(stamp);
    }
  }

  private byte[] rowKey() {
    if (at != At.ROW || key == null) {
      throw new IllegalStateException("the cursor is at no key");
    }
    return key;
  }

  private long enter() {
    long stamp = engine.gate().enter();
    try {
      requireOpen();
      return stamp;
    } catch (IllegalStateException e) {
      engine.gate().leave(stamp);
      throw e;
    }
  }

  private void requireOpen() {
    if (released) {
      throw new IllegalStateException("the cursor is closed");
    }
  }

  @Override
  public synchronized void close() {
    engine.release(this);
  }

  /** Frees the iterator; the engine calls it with its gate held, the first time only. */
  @Override
  public void release() {
    released = true;
    iterator.delete();
  }
}
