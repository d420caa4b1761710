package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.Units;
import io.ledgerkeep.cli.monitor.OwnerStatus.DeviceCalls;
import io.ledgerkeep.cli.report.Finding;

/** What is left to the keys of an encrypted ledger. */
final class KeyCheck {

  private static final String KEYS = "keys";

  /** A token's key is told of when less than a tenth of its calls is left: it lasts for ever. */
  private static final long LEAST_LEFT = 10;

  private KeyCheck() {}

  static Finding of(OwnerStatus status) {
    String told = "sealed with " + status.encryption() + budget(status);
    if (status.deviceCalls().isEmpty()) {
      return Finding.note(KEYS, told);
    }
    DeviceCalls calls = status.deviceCalls().get();
    told += "; the key in the token may seal %s times more".formatted(calls.left());
    return calls.left() < (calls.left() + calls.leased()) / LEAST_LEFT
        ? Finding.warning(
            KEYS, told + ": make another one there, and give it to the ledger with tde rewrap")
        : Finding.note(KEYS, told);
  }

  /** It is that of a key that follows by itself, so there is nothing to be done about it. */
  private static String budget(OwnerStatus status) {
    return status
        .keyBudget()
        .map(
            budget ->
                "; a fresh key is derived after %s, %s, or at %s"
                    .formatted(
                        Units.counted(budget.values(), "value"),
                        Units.bytes(budget.bytes()),
                        budget.until()))
        .orElse("; a fresh key is derived for the next value");
  }
}
