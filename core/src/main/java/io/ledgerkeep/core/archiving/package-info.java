/**
 * The archive and restore jobs, reading through to the archive, and the checks that compare a
 * ledger with its archive.
 */
@NullMarked
package io.ledgerkeep.core.archiving;

import org.jspecify.annotations.NullMarked;
