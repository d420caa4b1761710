/**
 * Backups as they lie in a directory: files of rows, manifests that name them, chains of an
 * incremental one after the other. Knows the tables of a ledger and nothing of how it is opened.
 * {@link io.ledgerkeep.core.backup.BackupWriter} is where to begin reading; {@code docs/format.md}
 * has the bytes.
 */
@NullMarked
package io.ledgerkeep.core.backup;

import org.jspecify.annotations.NullMarked;
