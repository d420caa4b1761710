package io.ledgerkeep.core.ledger;

import io.ledgerkeep.core.archiving.Site;
import io.ledgerkeep.error.StorageException;
import java.util.List;
import java.util.function.Supplier;

/**
 * Releases the reserves of all databases when an opening or a job meets a full disk.
 *
 * @param reserves one for each database
 */
record ReservedRoom(List<Reserve> reserves) implements Site.Room {

  /** Where there is nothing in reserve yet. */
  static final ReservedRoom NONE = new ReservedRoom(List.of());

  @Override
  public void during(Runnable write) {
    toGet(
        () -> {
          write.run();
          return this;
        });
  }

  /** Returns what the supplier gives, asking it a second time if the room helps. */
  <T> T toGet(Supplier<T> write) {
    try {
      return write.get();
    } catch (StorageException e) {
      if (!e.isOutOfSpace() || !release()) {
        throw e;
      }
      return write.get();
    }
  }

  private boolean release() {
    boolean released = false;
    for (Reserve reserve : reserves) {
      released |= reserve.release();
    }
    return released;
  }

  @Override
  public void refill() {
    reserves.forEach(Reserve::take);
  }
}
