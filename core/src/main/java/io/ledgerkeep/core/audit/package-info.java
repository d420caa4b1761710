/** The audit file: who did what to a ledger, chained and, where there are keys, authenticated. */
@NullMarked
package io.ledgerkeep.core.audit;

import org.jspecify.annotations.NullMarked;
