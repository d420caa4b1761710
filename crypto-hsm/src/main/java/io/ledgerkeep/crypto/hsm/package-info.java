/**
 * Master keys in PKCS#11 tokens. {@link io.ledgerkeep.crypto.hsm.Pkcs11Provider} is the door for
 * configurations and {@link io.ledgerkeep.crypto.hsm.Pkcs11Keys} the one for code. Behind them a
 * {@code Connection} keeps a {@code Token} open, by one of two routes, and opens it anew where it
 * was lost; on it stand {@code TokenKeyWrapper}, whose token wraps the keys that software seals
 * with, and {@code TokenSuite}, whose token seals every value itself.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.crypto.hsm;
