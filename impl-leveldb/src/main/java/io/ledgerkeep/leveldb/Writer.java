package io.ledgerkeep.leveldb;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import org.fusesource.leveldbjni.internal.NativeWriteBatch;
import org.jspecify.annotations.Nullable;

/**
 * The way of every change to LevelDB: room is asked for, a log of its kind is chosen, and once a
 * write failed no other follows. All calls come from inside the gate of the engine.
 */
final class Writer implements AutoCloseable {

  /** What a mutation takes in the log beside its key and value, at most. */
  static final int MUTATION_BYTES = 16;

  private final NativeStore store;
  private final SpaceGuard space;
  private final LogKeeper logs;
  private volatile @Nullable LedgerkeepException failure;

  Writer(NativeStore store, LevelDbConfig config) throws IOException {
    this.store = store;
    this.space = SpaceGuard.of(store.directory(), config, store::statistics, this::settle);
    this.logs = new LogKeeper(store.directory(), this::flush);
  }

  /** Writes the batch, which is not empty. */
  void write(WriteBatch batch, Durability durability) {
    NativeWriteBatch copy = new NativeWriteBatch();
    try {
      Copy copying = new Copy(copy);
      batch.forEach(copying);
      long bytes = batch.bytes() + (long) MUTATION_BYTES * batch.size();
      write(copy, bytes, durability, demand(copying.puts, durability));
    } finally {
      copy.delete();
    }
  }

  private static SpaceGuard.Demand demand(boolean puts, Durability durability) {
    if (!puts) {
      return SpaceGuard.Demand.DELETE;
    }
    return durability == Durability.DURABLE
        ? SpaceGuard.Demand.DURABLE_PUT
        : SpaceGuard.Demand.BUFFERED_PUT;
  }

  private static final class Copy implements WriteBatch.Visitor {

    private final NativeWriteBatch target;
    private boolean puts;

    Copy(NativeWriteBatch target) {
      this.target = target;
    }

    @Override
    public void put(Bytes key, Bytes value) {
      puts = true;
      target.put(key.toArrayUnsafe(), value.toArrayUnsafe());
    }

    @Override
    public void delete(Bytes key) {
      target.delete(key.toArrayUnsafe());
    }
  }

  /** Writes a batch of deletes, durably. */
  void delete(NativeWriteBatch batch, long bytes) {
    write(batch, bytes, Durability.DURABLE, SpaceGuard.Demand.DELETE);
  }

  private void write(
      NativeWriteBatch batch, long bytes, Durability durability, SpaceGuard.Demand demand) {
    logs.write(
        durability,
        () -> {
          space.require(bytes, demand);
          guarded(() -> store.write(batch, durability == Durability.DURABLE));
          space.appended(bytes);
        });
  }

  /** Makes every write that returned before durable. */
  void flush() {
    if (space.unflushedBytes() > 0) {
      settle();
    }
  }

  /** Flushes, and waits for what LevelDB does in the background: its thread does one by one. */
  private void settle() {
    space.requireToFlush();
    long bytes = space.unflushedBytes();
    guarded(store::flush);
    space.flushed(bytes);
  }

  /** Rewrites the tables that hold keys of the range. */
  void compact(KeyRange range) {
    space.require(0, SpaceGuard.Demand.COMPACTION);
    guarded(() -> store.compact(range));
  }

  /**
   * Runs the write unless one failed before. One that failed may have left a part of its record in
   * the log, and what comes after that could not be read back; so it stays the last.
   */
  private void guarded(Runnable write) {
    LedgerkeepException before = failure;
    if (before != null) {
      throw new StorageException(
          StorageException.Kind.FATAL,
          "the store %s takes no more writes since one failed; close it and open it again"
              .formatted(store.directory()),
          before);
    }
    try {
      write.run();
    } catch (LedgerkeepException e) {
      failure = e;
      throw e;
    }
  }

  @Override
  public void close() {
    space.close();
  }
}
