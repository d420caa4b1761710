package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.testkit.FaultPlan.Call;
import java.util.List;
import java.util.OptionalLong;

/**
 * An archive store of any kind that fails by a {@link FaultPlan}. What does not fail goes to the
 * store behind. Closing never fails, and does not count.
 */
public final class FaultyArchiveStore implements ArchiveStore {

  private final ArchiveStore store;
  private final FaultPlan plan;

  /** Creates a store that fails by the plan; closing it closes the one behind. */
  public FaultyArchiveStore(ArchiveStore store, FaultPlan plan) {
    this.store = store;
    this.plan = plan;
  }

  @Override
  public String place() {
    return store.place();
  }

  @Override
  public void put(String name, Content content) {
    plan.run(Call.STORE_PUT, () -> store.put(name, content));
  }

  @Override
  public OptionalLong size(String name) {
    return plan.call(Call.STORE_SIZE, () -> store.size(name));
  }

  @Override
  public Bytes get(String name, long offset, int length) {
    return plan.call(Call.STORE_GET, () -> store.get(name, offset, length));
  }

  @Override
  public List<String> list(String prefix) {
    return plan.call(Call.STORE_LIST, () -> store.list(prefix));
  }

  @Override
  public void delete(String name) {
    plan.run(Call.STORE_DELETE, () -> store.delete(name));
  }

  @Override
  public void close() {
    store.close();
  }
}
