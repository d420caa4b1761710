/** The measures of an open ledger, for Micrometer; begin at {@code LedgerMetrics}. */
module io.ledgerkeep.metrics {
  requires transitive io.ledgerkeep.api;
  requires transitive micrometer.core;
  requires static org.jspecify;

  exports io.ledgerkeep.metrics;
}
