/**
 * Rows of any size on an engine that limits the size of values and batches. A row of less than the
 * piece size is one value. A larger one is cut in pieces of exactly that size: the first lies at
 * the key of the row, the others in the table of pieces beside it, and a piece that is full says
 * that another one follows.
 *
 * <p>Rows are made on any thread before the one writer puts them; an engine that is an {@link
 * io.ledgerkeep.core.rows.AheadEngine} does a part of its work then.
 */
@NullMarked
package io.ledgerkeep.core.rows;

import org.jspecify.annotations.NullMarked;
