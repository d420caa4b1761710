package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;

/**
 * Where a ledger stands.
 *
 * @param height the newest block, or -1
 * @param hash its hash, or empty
 * @param pivot up to where bodies are the archive's
 * @param sequence the number of the entry of the archive's manifest that the ledger depends on, or
 *     -1
 */
public record Position(long height, Bytes hash, long pivot, long sequence) {}
