package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;

/** Collects what is needed to open an archive on its own. */
final class AloneArchiveBuilder implements Ledgerkeep.ArchiveBuilder {
  @Override
  public Ledgerkeep.ArchiveBuilder store(String store, Options options) {
    return this;
  }

  @Override
  public Ledgerkeep.ArchiveBuilder store(ArchiveStore store) {
    return this;
  }

  @Override
  public Ledgerkeep.ArchiveBuilder ledger(String ledger) {
    return this;
  }

  @Override
  public Ledgerkeep.ArchiveBuilder classLoader(ClassLoader classLoader) {
    return this;
  }

  @Override
  public Archive open() {
    throw new IllegalStateException();
  }
}
