/**
 * Checks a ledger from outside: by what its owner wrote down, by what the system tells of that
 * process, and by the disks. Neither the ledger nor its lock is ever opened; begin at {@link
 * io.ledgerkeep.cli.monitor.Monitor}.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.cli.monitor;
