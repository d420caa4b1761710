package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.rows.AheadEngine;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.IntStream;

/**
 * A storage engine whose values lie sealed in another one; the keys lie there as they are. Values
 * are sealed ahead of their write, on any thread, by who can; what is left of a large batch is
 * sealed on all cores when it is written.
 */
public final class SealedEngine implements AheadEngine {

  /** A record as every database may have. */
  private static final Bytes GENERATION = Bytes.ofUtf8("\u0001keys");

  private static final int GENERATION_BYTES = 16;

  /** What a ledger needs at least, as {@link Limits} has it. */
  private static final int MIN_VALUE_BYTES = 64 << 10;

  private static final int MIN_BATCH_COUNT = 16;

  private final StorageEngine engine;
  private final Encryptor encryptor;
  private final UUID store;
  private final Database database;
  private final Heights heights;
  private final BatchSealer sealer;
  private final Executor executor;

  /**
   * Held by many who write what is new, and by one who puts a value in the place of the same one
   * sealed otherwise.
   */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** The generation of the registry that the engine is known to hold. */
  private volatile long recordedGeneration;

  /** Tells the height that a key names, where it names one. */
  @FunctionalInterface
  public interface Heights {

    /** Returns the height, or empty. */
    OptionalLong of(Bytes key);
  }

  /** Seals the values of a database of a store. The engine is closed with it. */
  public SealedEngine(
      StorageEngine engine,
      Encryptor encryptor,
      Bytes store,
      Database database,
      Heights heights,
      Executor executor) {
    this(engine, encryptor, uuid(store), database, heights, executor);
  }

  private SealedEngine(
      StorageEngine engine,
      Encryptor encryptor,
      UUID store,
      Database database,
      Heights heights,
      Executor executor) {
    this.engine = engine;
    this.heights = heights;
    this.encryptor = encryptor;
    this.store = store;
    this.database = database;
    this.executor = executor;
    this.sealer = new BatchSealer(encryptor, this::seal, executor);
  }

  private static UUID uuid(Bytes store) {
    ByteBuffer id = store.asBuffer();
    return new UUID(id.getLong(), id.getLong());
  }

  /** Returns an engine that seals values for this place and writes them to another engine. */
  public SealedEngine on(StorageEngine other) {
    return new SealedEngine(other, encryptor, store, database, heights, executor);
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    return engine.get(key).map(found -> open(key, found));
  }

  @Override
  public List<Optional<Bytes>> getAll(List<Bytes> keys) {
    return openAll(keys, engine.getAll(keys));
  }

  private List<Optional<Bytes>> openAll(List<Bytes> keys, List<Optional<Bytes>> found) {
    return IntStream.range(0, keys.size())
        .mapToObj(i -> found.get(i).map(value -> open(keys.get(i), value)))
        .toList();
  }

  @Override
  public Cursor scan(KeyRange range) {
    return new OpeningCursor(engine.scan(range));
  }

  @Override
  public Snapshot snapshot() {
    Snapshot snapshot = engine.snapshot();
    return new Snapshot() {
      @Override
      public Optional<Bytes> get(Bytes key) {
        return snapshot.get(key).map(found -> open(key, found));
      }

      @Override
      public List<Optional<Bytes>> getAll(List<Bytes> keys) {
        return openAll(keys, snapshot.getAll(keys));
      }

      @Override
      public Cursor scan(KeyRange range) {
        return new OpeningCursor(snapshot.scan(range));
      }

      @Override
      public void close() {
        snapshot.close();
      }
    };
  }

  /**
   * Checks that the registry of keys is not older than what was sealed with it: the block database
   * holds the generation of its newest values, sealed like them.
   *
   * @throws IntegrityException if it is
   */
  public void requireGeneration() {
    recordedGeneration =
        get(GENERATION)
            .map(row -> new ByteReader(row, "the generation of the registry of keys").u64())
            .orElse(0L);
    if (recordedGeneration > generation()) {
      throw new IntegrityException(
          "the registry of keys is an older one, generation %s, and the %s database needs %s; put the newer one back"
              .formatted(generation(), database.lowerCaseName(), recordedGeneration));
    }
  }

  private long generation() {
    return encryptor instanceof EpochEncryptor epochs && database == Database.BLOCK
        ? epochs.generation()
        : 0;
  }

  @Override
  public Optional<Ahead> ahead(Bytes key, Bytes value) {
    return sealer.ahead(key, value);
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    write(batch, List.of(), durability);
  }

  @Override
  public void write(WriteBatch batch, List<Optional<Ahead>> ahead, Durability durability) {
    limits().check(batch);
    lock.readLock().lock();
    try {
      writeSealed(sealer.seal(batch, ahead), durability);
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Makes durable that older registries than the one in use are not this database's. */
  public void recordGeneration() {
    if (generation() > recordedGeneration) {
      write(new WriteBatch(), Durability.DURABLE);
    }
  }

  private void writeSealed(WriteBatch batch, Durability durability) {
    long generation = generation();
    if (generation > recordedGeneration) {
      Bytes record = new ByteWriter(Long.BYTES).u64(generation).take();
      batch.put(GENERATION, seal(GENERATION, record));
    }
    engine.write(batch, durability);
    recordedGeneration = Math.max(generation, recordedGeneration);
  }

  /** Returns when every write that may have been sealed under an earlier key is through. */
  void awaitWrites() {
    lock.writeLock().lock();
    try {
      // whoever had the lock before has written
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * Writes sealed values in the place of others, each only where that other one still lies.
   *
   * @param more is written too, sealed
   */
  void replace(List<Replacement> replacements, WriteBatch more) {
    lock.writeLock().lock();
    try {
      for (Replacement replacement : replacements) {
        if (engine.get(replacement.key()).equals(Optional.of(replacement.old()))) {
          more.put(replacement.key(), replacement.by());
        }
      }
      writeSealed(more, Durability.BUFFERED);
    } finally {
      lock.writeLock().unlock();
    }
  }

  /**
   * A value sealed anew.
   *
   * @param old what lay there
   * @param by the same value, sealed otherwise
   */
  record Replacement(Bytes key, Bytes old, Bytes by) {}

  /** Returns the engine with the values as they lie there. */
  public StorageEngine below() {
    return engine;
  }

  Executor executor() {
    return executor;
  }

  @Override
  public void flush() {
    engine.flush();
  }

  @Override
  public void deleteRange(KeyRange range) {
    lock.readLock().lock();
    try {
      engine.deleteRange(range);
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public void compact(KeyRange range) {
    engine.compact(range);
  }

  /** Returns the limits of the engine, less what sealing adds to as many values as it may be. */
  @Override
  public Limits limits() {
    return limits(encryptor.overheadBytes());
  }

  private Limits limits(long overhead) {
    Limits limits = engine.limits();
    long count = Math.min(limits.maxBatchCount(), limits.maxBatchBytes() / (8L * overhead));
    long spans = count + limits.maxBatchBytes() / Encryptor.OVERHEAD_SPAN; // begun in a batch
    long batchBytes = limits.maxBatchBytes() - overhead * spans - GENERATION_BYTES;
    long valueBytes =
        Math.min(largestValue(limits.maxValueBytes(), overhead), batchBytes - limits.maxKeyBytes());
    if (valueBytes < MIN_VALUE_BYTES || count <= MIN_BATCH_COUNT) {
      throw new ConfigurationException(
          "the engine of the %s database takes values of %s bytes and batches of %s with %s bytes at most: too little for an encrypted ledger"
              .formatted(
                  database.lowerCaseName(),
                  limits.maxValueBytes(),
                  limits.maxBatchCount(),
                  limits.maxBatchBytes()));
    }
    return new Limits(
        limits.maxKeyBytes(), Math.toIntExact(valueBytes), batchBytes, Math.toIntExact(count - 1));
  }

  /**
   * Requires that the engine takes pieces of values as large as now when sealing adds more.
   *
   * @param overhead as {@link Encryptor#overheadBytes} has it
   * @throws ConfigurationException if it does not
   */
  public void requireRoom(int overhead) {
    int now = RowWriter.pieceBytesFor(limits());
    int then = RowWriter.pieceBytesFor(limits(overhead));
    if (then < now) {
      throw new ConfigurationException(
          "the engine of the %s database has values of up to %s bytes; sealed in the device of the new master key they could have %s at most, as it makes them longer: make a ledger under that key and import the blocks"
              .formatted(database.lowerCaseName(), now, then));
    }
  }

  /** Returns how long a value may be so that it has room when it is sealed. */
  private static int largestValue(int room, long overhead) {
    long span = Encryptor.OVERHEAD_SPAN + overhead;
    long rest = Math.max(0, room % span - overhead);
    return Math.toIntExact(room / span * Encryptor.OVERHEAD_SPAN + rest);
  }

  @Override
  public long sizeBytes() {
    return engine.sizeBytes();
  }

  @Override
  public void close() {
    engine.close();
  }

  /** Returns the value as it may lie at the key. */
  public Bytes seal(Bytes key, Bytes value) {
    return encryptor.seal(context(key), value);
  }

  /**
   * Returns the value of what lies at the key.
   *
   * @throws IntegrityException if it was not sealed for this place
   */
  public Bytes open(Bytes key, Bytes sealedValue) {
    try {
      return encryptor.open(context(key), sealedValue);
    } catch (IntegrityException e) {
      OptionalLong height = heights.of(key);
      throw height.isEmpty()
          ? e
          : new IntegrityException("height " + height.getAsLong() + ": " + e.getMessage(), e);
    }
  }

  Context context(Bytes key) {
    return new Context(store, database.lowerCaseName(), key);
  }

  /** Opens a value when it is asked for: many are passed over. */
  private final class OpeningCursor implements Cursor {

    private final Cursor cursor;

    OpeningCursor(Cursor cursor) {
      this.cursor = cursor;
    }

    @Override
    public boolean next() {
      return cursor.next();
    }

    @Override
    public Bytes key() {
      return cursor.key();
    }

    @Override
    public Bytes value() {
      return open(cursor.key(), cursor.value());
    }

    @Override
    public void close() {
      cursor.close();
    }
  }
}
