package io.ledgerkeep.testkit;

import java.util.Set;

/**
 * Something that a contract has to catch.
 *
 * @param flaw what is wrong with it
 * @param caughtBy the test that must fail
 * @param maybeCaughtBy tests that may fail too, as the flaw touches what they look at
 * @param maker makes it
 */
record Twin<M>(String flaw, String caughtBy, Set<String> maybeCaughtBy, M maker) {

  @Override
  public String toString() {
    return caughtBy + " catches one that " + flaw;
  }
}
