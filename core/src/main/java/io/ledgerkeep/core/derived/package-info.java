/**
 * State and history: the replay of the writes of all blocks. Both databases can be made again from
 * the block database; they are written BUFFERED and made durable by checkpoints.
 */
@NullMarked
package io.ledgerkeep.core.derived;

import org.jspecify.annotations.NullMarked;
