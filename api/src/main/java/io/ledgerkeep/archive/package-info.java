/**
 * Moving old block bodies to an archive and back: {@link io.ledgerkeep.archive.Archiver}, {@link
 * io.ledgerkeep.archive.Restorer}, the {@link io.ledgerkeep.archive.Archive} read on its own, and
 * the {@link io.ledgerkeep.archive.ArchiveStore} a backend author implements.
 */
package io.ledgerkeep.archive;
