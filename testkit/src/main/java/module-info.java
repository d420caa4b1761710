/** Engines for tests, and the contracts a backend author extends. */
module io.ledgerkeep.testkit {
  requires transitive io.ledgerkeep.api;
  requires static org.jspecify;
  requires static org.assertj.core;
  requires static org.junit.jupiter.api;

  exports io.ledgerkeep.testkit;
}
