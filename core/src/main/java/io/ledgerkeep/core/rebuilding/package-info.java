/**
 * What follows from the blocks is made anew from them: state and history beside, the indexes in
 * place. {@link io.ledgerkeep.core.rebuilding.Regeneration} is where to begin reading.
 */
@NullMarked
package io.ledgerkeep.core.rebuilding;

import org.jspecify.annotations.NullMarked;
