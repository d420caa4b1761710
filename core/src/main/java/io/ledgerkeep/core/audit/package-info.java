/**
 * Who did what to a ledger: the book of its jobs, and its audit file, chained and authenticated.
 */
@NullMarked
package io.ledgerkeep.core.audit;

import org.jspecify.annotations.NullMarked;
