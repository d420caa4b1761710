package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.core.control.ControlClient;
import java.nio.file.Path;

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
  public Ledgerkeep.Connection connect(Path directory) {
    return ControlClient.connect(directory);
  }
}
