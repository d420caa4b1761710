package io.ledgerkeep.cli.monitor;

import io.ledgerkeep.cli.report.Finding;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Check;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Outcome;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Probe;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Tries the token of the master key once a round. A PIN that was refused is never offered again:
 * tokens lock themselves after a few of them. For one thread.
 */
public final class TokenCheck {

  static final String SUBJECT = "hsm";

  private final Supplier<Probe> probe;
  private Optional<Finding> refused = Optional.empty();

  /** Makes a check that tries the token by the probe. */
  public TokenCheck(Supplier<Probe> probe) {
    this.probe = probe;
  }

  Finding look() {
    return refused.orElseGet(this::tried);
  }

  private Finding tried() {
    try {
      return found(probe.get());
    } catch (KeyUnavailableException e) {
      Finding finding = Finding.wrong(SUBJECT, String.valueOf(e.getMessage()));
      if (e.reason() == KeyUnavailableException.Reason.WRONG) {
        refused =
            Optional.of(
                Finding.wrong(SUBJECT, finding.what() + "; it is not tried again, for the PIN"));
      }
      return finding;
    } catch (LedgerkeepException e) {
      return Finding.wrong(SUBJECT, String.valueOf(e.getMessage()));
    }
  }

  private static Finding found(Probe probe) {
    Optional<Check> failed =
        probe.checks().stream().filter(check -> check.outcome() == Outcome.FAILED).findFirst();
    String which = "token '%s', key '%s'".formatted(probe.token(), probe.key());
    return failed
        .map(check -> Finding.wrong(SUBJECT, which + ": " + check.name() + ": " + check.detail()))
        .orElseGet(() -> Finding.note(SUBJECT, which + " does what a master key has to"));
  }
}
