/**
 * Bytes and digests of what is stored: how a block becomes rows, how rows become leaves, roots and
 * the record digest. The same rows lie in the block database and in segments; {@code
 * docs/format.md} gives every byte.
 */
@NullMarked
package io.ledgerkeep.core.codec;

import org.jspecify.annotations.NullMarked;
