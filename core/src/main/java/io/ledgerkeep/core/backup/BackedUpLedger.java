package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import java.util.List;

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
    List<String> engines) {

  /** Copies the list. */
  public BackedUpLedger {
    engines = List.copyOf(engines);
  }
}
