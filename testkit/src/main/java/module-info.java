/**
 * Fakes that behave, and contract tests: for everyone who tests against Ledgerkeep, or writes a
 * storage engine, an archive store or an encryption for it. The fakes need no test framework; the
 * contract tests need JUnit and AssertJ, which their user requires itself.
 */
module io.ledgerkeep.testkit {
  requires transitive io.ledgerkeep.api;
  requires static org.assertj.core;
  requires static org.junit.jupiter.api;
  requires static org.jspecify;

  exports io.ledgerkeep.testkit;
  exports io.ledgerkeep.testkit.contract;
}
