package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.FaultPlan.Call;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Engines of any kind that fail by a {@link FaultPlan}: before a call, after it, or with a crash of
 * the machine. What does not fail goes to the engine behind. Closing never fails, and does not
 * count.
 */
public final class FaultyStorage implements StorageEngineProvider {

  private final StorageEngineProvider provider;
  private final FaultPlan plan;

  /** Creates a provider that opens the engines of another and lets them fail by the plan. */
  public FaultyStorage(StorageEngineProvider provider, FaultPlan plan) {
    this.provider = provider;
    this.plan = plan;
  }

  /** Returns an engine that fails by the plan; closing it closes the one behind. */
  public static StorageEngine wrap(StorageEngine engine, FaultPlan plan) {
    return new FaultyEngine(engine, plan);
  }

  @Override
  public String name() {
    return provider.name();
  }

  @Override
  public StorageEngine open(Path directory, Options options) {
    return wrap(plan.call(Call.OPEN, () -> provider.open(directory, options)), plan);
  }

  @Override
  public boolean copy(Path directory, Path target, Options options) {
    return provider.copy(directory, target, options);
  }

  private record FaultySnapshot(StorageEngine.Snapshot snapshot, FaultPlan plan)
      implements StorageEngine.Snapshot {

    @Override
    public Optional<Bytes> get(Bytes key) {
      return plan.call(Call.GET, () -> snapshot.get(key));
    }

    @Override
    public StorageEngine.Cursor scan(KeyRange range) {
      return plan.call(Call.SCAN, () -> snapshot.scan(range));
    }

    @Override
    public void close() {
      snapshot.close();
    }
  }

  private record FaultyEngine(StorageEngine engine, FaultPlan plan) implements StorageEngine {

    @Override
    public Optional<Bytes> get(Bytes key) {
      return plan.call(Call.GET, () -> engine.get(key));
    }

    @Override
    public Cursor scan(KeyRange range) {
      return plan.call(Call.SCAN, () -> engine.scan(range));
    }

    @Override
    public Snapshot snapshot() {
      return new FaultySnapshot(plan.call(Call.SNAPSHOT, engine::snapshot), plan);
    }

    @Override
    public void write(WriteBatch batch, Durability durability) {
      plan.run(Call.WRITE, () -> engine.write(batch, durability));
    }

    @Override
    public void flush() {
      plan.run(Call.FLUSH, engine::flush);
    }

    @Override
    public void deleteRange(KeyRange range) {
      plan.run(Call.DELETE_RANGE, () -> engine.deleteRange(range));
    }

    @Override
    public void compact(KeyRange range) {
      plan.run(Call.COMPACT, () -> engine.compact(range));
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
      engine.close();
    }
  }
}
