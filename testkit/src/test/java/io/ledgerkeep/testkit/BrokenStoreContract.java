package io.ledgerkeep.testkit;

import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.testkit.contract.ArchiveStoreContract;
import java.nio.file.Path;
import java.util.function.Function;

/** The contract for one broken store. Not a test of its own: {@link BrokenStoresTest}. */
final class BrokenStoreContract extends ArchiveStoreContract {

  /** What the next run of the contract is about; JUnit makes the instances, so it waits here. */
  static Function<InMemoryArchiveStore, ArchiveStore> twin = store -> store;

  private final InMemoryArchiveStore sound = new InMemoryArchiveStore();

  @Override
  protected ArchiveStore open(Path storeDirectory) {
    return twin.apply(sound.reopen());
  }

  @Override
  protected boolean breakMedium(Path storeDirectory) {
    sound.setReachable(false);
    return true;
  }

  @Override
  protected void repairMedium(Path storeDirectory) {
    sound.setReachable(true);
  }

  @Override
  protected boolean limitSpace(Path storeDirectory, long freeBytes) {
    sound.limitBytes(sound.usedBytes() + freeBytes);
    return true;
  }

  @Override
  protected void unlimitSpace(Path storeDirectory) {
    sound.limitBytes(Long.MAX_VALUE);
  }
}
