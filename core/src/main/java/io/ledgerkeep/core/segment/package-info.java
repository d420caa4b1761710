/**
 * The segment format, alone: one sealed, immutable file with a contiguous range of blocks, and the
 * indexes to find each block, transaction and read/write set in it.
 *
 * <p>Begin at {@link io.ledgerkeep.core.segment.SegmentWriter} and {@link
 * io.ledgerkeep.core.segment.SegmentReader}; {@code docs/format.md} gives every byte.
 */
@NullMarked
package io.ledgerkeep.core.segment;

import org.jspecify.annotations.NullMarked;
