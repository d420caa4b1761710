/**
 * Opens and closes a ledger and gives out what the API promises. Begin with {@link
 * io.ledgerkeep.core.ledger.LedgerOpener}, which shows the order of opening, then {@link
 * io.ledgerkeep.core.ledger.OpenLedger}.
 */
@NullMarked
package io.ledgerkeep.core.ledger;

import org.jspecify.annotations.NullMarked;
