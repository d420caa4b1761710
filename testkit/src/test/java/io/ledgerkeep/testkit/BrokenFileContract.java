package io.ledgerkeep.testkit;

import io.ledgerkeep.storage.StorageEngineProvider;
import java.util.function.Supplier;

/** The contract for a broken engine on files. Not a test of its own: {@link BrokenEnginesTest}. */
final class BrokenFileContract extends FileStorageTest {

  /** What the next run of the contract is about; JUnit makes the instances, so it waits here. */
  static Supplier<StorageEngineProvider> twin = FileStorage::new;

  @Override
  protected StorageEngineProvider provider() {
    return twin.get();
  }
}
