package io.ledgerkeep.core.rollback;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.util.Optional;
import java.util.function.Consumer;

/** Shows what lies on an engine; what is written is noted, and lies there only later. */
final class RecordingEngine implements StorageEngine {

  private final StorageEngine engine;
  private final Consumer<WriteBatch> notes;

  RecordingEngine(StorageEngine engine, Consumer<WriteBatch> notes) {
    this.engine = engine;
    this.notes = notes;
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    return engine.get(key);
  }

  @Override
  public Cursor scan(KeyRange range) {
    return engine.scan(range);
  }

  @Override
  public Snapshot snapshot() {
    return engine.snapshot();
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    engine.limits().check(batch);
    notes.accept(batch);
  }

  @Override
  public void flush() {
    throw nothingElse();
  }

  @Override
  public void deleteRange(KeyRange range) {
    throw nothingElse();
  }

  @Override
  public void compact(KeyRange range) {
    throw nothingElse();
  }

  private static AssertionError nothingElse() {
    return new AssertionError("only batches are noted");
  }

  @Override
  public Limits limits() {
    return engine.limits();
  }

  @Override
  public long sizeBytes() {
    return engine.sizeBytes();
  }

  @Override
  public void close() {
    // the engine is closed by who opened it
  }
}
