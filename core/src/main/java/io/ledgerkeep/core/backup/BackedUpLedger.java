package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import java.util.Map;
import java.util.Objects;

/**
 * Which ledger a backup is of.
 *
 * @param ledgerId 16 bytes
 * @param encrypted whether its values are sealed
 * @param engines the engines of its databases
 */
public record BackedUpLedger(
    String chainId,
    Bytes ledgerId,
    String digest,
    int formatVersion,
    String compatibilityVersion,
    boolean encrypted,
    Map<Database, String> engines) {

  /** Copies the map. */
  public BackedUpLedger {
    engines = Map.copyOf(engines);
  }

  /** Returns the name of the engine of a database. */
  public String engine(Database database) {
    return Objects.requireNonNull(engines.get(database));
  }
}
