package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;

/**
 * What a file of rows has.
 *
 * @param rows how many
 * @param rawBytes what they take, not compressed
 * @param bytes the size of the file
 * @param digest SHA-256 of the file
 */
record RowTotals(long rows, long rawBytes, long bytes, Bytes digest) {}
