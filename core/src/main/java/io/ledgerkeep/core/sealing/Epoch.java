package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;

/**
 * A stretch of time in which one derived key seals. No two writers ever share one, so a counter is
 * a nonce that never comes twice: whoever opens a ledger, or a copy of it, draws a new salt before
 * it seals its first value.
 *
 * @param number counted from 1 within its registry; every sealed value names it
 * @param dataKey the number of the data key it is derived from
 * @param salt 32 random bytes
 */
record Epoch(int number, int dataKey, Bytes salt, long createdAtMillis) {}
