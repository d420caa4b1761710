/**
 * What a node that logs with Logback sets up for the lines of its ledger, and what the command line
 * uses itself: begin at {@link io.ledgerkeep.logback.LedgerLogs}. Who configures Logback by a file
 * of its own takes {@link io.ledgerkeep.logback.LedgerLayout} alone.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.logback;
