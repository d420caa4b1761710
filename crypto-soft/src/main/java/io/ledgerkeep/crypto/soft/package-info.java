/**
 * Encryption in software. {@link io.ledgerkeep.crypto.soft.AesProvider} and {@link
 * io.ledgerkeep.crypto.soft.Sm4Provider} are the doors: their suites seal, the {@link
 * io.ledgerkeep.crypto.soft.SoftKeyWrapper} keeps a master key that {@link
 * io.ledgerkeep.crypto.soft.KeyText} and {@link io.ledgerkeep.crypto.soft.KeyFile} have read.
 * Nothing is added to the JVM's list of security providers.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.crypto.soft;
