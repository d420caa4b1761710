/** One runnable class per question; begin reading at {@code io.ledgerkeep.examples}. */
module io.ledgerkeep.examples {
  requires io.ledgerkeep.api;
  requires io.ledgerkeep.logback;
  requires io.ledgerkeep.metrics;
  requires micrometer.registry.prometheus;
  requires static org.jspecify;

  provides io.ledgerkeep.storage.StorageEngineProvider with
      io.ledgerkeep.examples.journal.JournalStorage;
}
