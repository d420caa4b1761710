/**
 * What keeps stored values from who has no key: an {@link io.ledgerkeep.encryption.Encryptor} seals
 * and opens them. Whoever brings a cipher implements {@link
 * io.ledgerkeep.encryption.EncryptorProvider}: {@link io.ledgerkeep.encryption.CipherSuite}s, and
 * the {@link io.ledgerkeep.encryption.KeyWrapper} of a master key. Registry, epochs and rotation
 * are the core's, once for all of them. The rules are numbered; the testkit has a contract test
 * named after each number.
 */
package io.ledgerkeep.encryption;
