/** Log lines of a ledger on Logback: their form, their files and their level. */
module io.ledgerkeep.logback {
  requires transitive ch.qos.logback.classic;
  requires transitive ch.qos.logback.core;
  requires transitive io.ledgerkeep.api;
  requires transitive org.slf4j;
  requires static org.jspecify;

  exports io.ledgerkeep.logback;
}
