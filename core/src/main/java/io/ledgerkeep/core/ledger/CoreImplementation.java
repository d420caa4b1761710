package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Ledgerkeep;

/** What {@link Ledgerkeep} finds. Called by ServiceLoader. */
public final class CoreImplementation implements Ledgerkeep.Implementation {

  /** Called by ServiceLoader. */
  public CoreImplementation() {}

  @Override
  public Ledgerkeep.Builder ledger() {
    return new LedgerBuilder();
  }

  @Override
  public Ledgerkeep.ArchiveBuilder archive() {
    return new AloneArchiveBuilder();
  }

  @Override
  public Ledgerkeep.Connection connect(java.nio.file.Path directory) {
    return io.ledgerkeep.core.control.ControlClient.connect(directory);
  }
}
