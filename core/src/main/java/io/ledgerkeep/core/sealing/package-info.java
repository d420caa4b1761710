/**
 * Encryption at rest: the registry of keys, the epochs in which values are sealed, and a storage
 * engine that seals what goes into another one. Begin reading at {@link
 * io.ledgerkeep.core.sealing.Keyring}.
 */
@NullMarked
package io.ledgerkeep.core.sealing;

import org.jspecify.annotations.NullMarked;
