package io.ledgerkeep.benchmarks;

import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the bytes of rows that are written. */
final class CountingEngine extends WrappedStorage.Engine {

  private final AtomicLong bytes;

  CountingEngine(StorageEngine engine, AtomicLong bytes) {
    super(engine);
    this.bytes = bytes;
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    bytes.addAndGet(batch.bytes());
    super.write(batch, durability);
  }
}
