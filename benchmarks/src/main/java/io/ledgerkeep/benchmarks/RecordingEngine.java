package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.util.Optional;

/**
 * Tells every batch that the ledger writes and every row that it reads. Syncs nothing: what was
 * recorded is replayed elsewhere.
 */
final class RecordingEngine extends WrappedStorage.Engine {

  /** Told what the ledger does. */
  interface Listener {

    /** A batch was written. */
    default void wrote(Database database, WriteBatch batch, boolean durable) {}

    /** A row was read. */
    default void read(Bytes key) {}
  }

  private final Database database;
  private final Listener listener;

  RecordingEngine(Database database, StorageEngine engine, Listener listener) {
    super(engine);
    this.database = database;
    this.listener = listener;
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    Optional<Bytes> value = super.get(key);
    if (value.isPresent()) {
      listener.read(key);
    }
    return value;
  }

  @Override
  public Cursor scan(KeyRange range) {
    return new RecordingCursor(super.scan(range), listener);
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    super.write(batch, Durability.BUFFERED);
    listener.wrote(database, batch, durability == Durability.DURABLE);
  }

  @Override
  public void flush() {}

  private record RecordingCursor(Cursor cursor, Listener listener) implements Cursor {

    @Override
    public boolean next() {
      boolean found = cursor.next();
      if (found) {
        listener.read(cursor.key());
      }
      return found;
    }

    @Override
    public Bytes key() {
      return cursor.key();
    }

    @Override
    public Bytes value() {
      return cursor.value();
    }

    @Override
    public void close() {
      cursor.close();
    }
  }
}
