/**
 * Certificates and keys of a chain, its organisations, nodes and SDKs, as they lie in a directory:
 * listed, checked, replaced and retired. {@link io.ledgerkeep.cli.certs.CertificateDirectory} is
 * where reading begins, {@link io.ledgerkeep.cli.certs.CertificateChanges} is what changes
 * something.
 */
@org.jspecify.annotations.NullMarked
package io.ledgerkeep.cli.certs;
