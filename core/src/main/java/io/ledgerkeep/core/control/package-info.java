/** The control socket: looks after a ledger that another process has open. */
@NullMarked
package io.ledgerkeep.core.control;

import org.jspecify.annotations.NullMarked;
