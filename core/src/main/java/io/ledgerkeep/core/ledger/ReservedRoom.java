package io.ledgerkeep.core.ledger;

import io.ledgerkeep.core.archiving.Site;
import io.ledgerkeep.error.StorageException;
import java.util.List;
import java.util.function.Supplier;

/**
 * Releases the reserves, one database's after the other's, when an opening or a job meets a full
 * disk.
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

  /** Returns what the supplier gives, asking it again as long as another reserve gives room. */
  <T> T toGet(Supplier<T> write) {
    while (true) {
      try {
        return write.get();
      } catch (StorageException e) {
        if (!e.isOutOfSpace() || !releaseOne()) {
          throw e;
        }
      }
    }
  }

  /** Others may take what is given back before it is reserved again, so no more than need be. */
  private boolean releaseOne() {
    for (Reserve reserve : reserves) {
      if (reserve.release()) {
        return true;
      }
    }
    return false;
  }

  /** Takes what was released again, once nothing else needs it. */
  void takeBack() {
    reserves.forEach(Reserve::takeBack);
  }

  @Override
  public void refill() {
    reserves.forEach(Reserve::take);
  }
}
