package io.ledgerkeep.testkit;

import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.util.function.Function;

/** The contract for the engines of one twin. Not a test of its own: {@link BrokenEnginesTest}. */
final class BrokenEngineContract extends InMemoryStorageTest {

  /** What the next run of the contract is about; JUnit makes the instances, so it waits here. */
  static Function<StorageEngineProvider, StorageEngineProvider> twin = Function.identity();

  private final StorageEngineProvider broken = twin.apply(super.provider());

  /** Small, so that the contract is quickly done. */
  @Override
  StorageEngine.Limits limits() {
    return new StorageEngine.Limits(40 << 10, 64 << 10, 256 << 10, 2000);
  }

  @Override
  protected StorageEngineProvider provider() {
    return broken;
  }
}
