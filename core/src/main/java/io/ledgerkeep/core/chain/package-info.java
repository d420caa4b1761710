/**
 * The block database: keys, metas, bodies, indexes, the commit point, the pivot and the id filter.
 * {@link io.ledgerkeep.core.chain.ChainKeys} lists every key; begin reading there.
 */
@NullMarked
package io.ledgerkeep.core.chain;

import org.jspecify.annotations.NullMarked;
