/**
 * The archive of one ledger as it lies in a store: the manifest, a chain of create-only entries
 * that says which segments there are, and the archive read on its own. Begin with {@link
 * io.ledgerkeep.core.archive.Manifest}.
 */
@NullMarked
package io.ledgerkeep.core.archive;

import org.jspecify.annotations.NullMarked;
