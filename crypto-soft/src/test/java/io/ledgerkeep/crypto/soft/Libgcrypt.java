package io.ledgerkeep.crypto.soft;

import static org.junit.jupiter.api.Assumptions.abort;

/** The accelerated suite, where this machine has it. */
final class Libgcrypt {

  private Libgcrypt() {}

  /** Returns the suite; the test is skipped where the library is missing. */
  static SoftSuite suite() {
    try {
      return Sm4Suites.libgcrypt();
    } catch (LibraryMissingException e) {
      return abort("libgcrypt is missing: " + e.getMessage());
    }
  }
}
