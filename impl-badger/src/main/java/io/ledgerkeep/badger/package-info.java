/**
 * A storage engine over Badger, which runs in a process of its own, the sidecar.
 *
 * <p>{@link io.ledgerkeep.badger.BadgerEngine} is one store, held by a {@link
 * io.ledgerkeep.badger.Lease}; its calls go out through {@link io.ledgerkeep.badger.Calls}, which
 * tries again where that is safe. Stores share a {@link io.ledgerkeep.badger.Sidecar}: one that
 * somebody runs, or one that this process starts and watches ({@link
 * io.ledgerkeep.badger.Supervisor}).
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.badger;
