/**
 * The newest blocks of a ledger are taken away. {@link io.ledgerkeep.core.rollback.RollBack} does
 * all that can fail, and commits; {@link io.ledgerkeep.core.rollback.RestOfRollBack} is what every
 * opening does of it.
 */
@NullMarked
package io.ledgerkeep.core.rollback;

import org.jspecify.annotations.NullMarked;
