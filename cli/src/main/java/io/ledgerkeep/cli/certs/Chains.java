package io.ledgerkeep.cli.certs;

import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Who signed whom. */
final class Chains {

  private static final int KEY_CERT_SIGN = 5;
  private static final int MAX_LENGTH = 8;

  private Chains() {}

  static boolean isSelfSigned(X509Certificate certificate) {
    return isSignedBy(certificate, certificate);
  }

  static boolean isSignedBy(X509Certificate certificate, X509Certificate issuer) {
    if (!certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) {
      return false;
    }
    try {
      certificate.verify(issuer.getPublicKey(), Keys.PROVIDER);
      return true;
    } catch (GeneralSecurityException | RuntimeException e) {
      return false;
    }
  }

  /** Returns whether a certificate may sign others, as far as it says. */
  static boolean maySign(X509Certificate certificate) {
    boolean[] usage = certificate.getKeyUsage();
    return certificate.getBasicConstraints() >= 0 && (usage == null || usage[KEY_CERT_SIGN]);
  }

  /** Returns who signed a certificate; of several, such as one that was renewed, the latest. */
  static Optional<X509Certificate> issuer(
      X509Certificate certificate, Collection<X509Certificate> among) {
    return among.stream()
        .filter(issuer -> isSignedBy(certificate, issuer))
        .max(Comparator.comparing(X509Certificate::getNotAfter));
  }

  /**
   * Returns the certificate and those above it, the root at the end; without a root where one is
   * missing.
   */
  static List<X509Certificate> chain(
      X509Certificate certificate, Collection<X509Certificate> among) {
    List<X509Certificate> chain = new ArrayList<>(List.of(certificate));
    X509Certificate last = certificate;
    while (!isSelfSigned(last) && chain.size() < MAX_LENGTH) {
      Optional<X509Certificate> issuer = issuer(last, among);
      if (issuer.isEmpty() || chain.contains(issuer.get())) {
        return chain;
      }
      last = issuer.get();
      chain.add(last);
    }
    return chain;
  }

  /**
   * Validates a certificate up to the root that is among the others, by the rules of RFC 5280;
   * revocation is not asked for.
   *
   * @throws CertPathValidatorException if it is not valid
   */
  static void validate(X509Certificate certificate, Collection<X509Certificate> among, Instant now)
      throws GeneralSecurityException {
    List<X509Certificate> chain = chain(certificate, among);
    X509Certificate root = chain.get(chain.size() - 1);
    if (!isSelfSigned(root)) {
      throw new CertPathValidatorException(
          "there is no certificate of " + root.getIssuerX500Principal());
    }
    if (chain.size() == 1) {
      root.checkValidity(Date.from(now));
      return;
    }
    if (!maySign(root)) {
      throw new CertPathValidatorException(root.getSubjectX500Principal() + " may sign none");
    }
    PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
    parameters.setRevocationEnabled(false);
    parameters.setDate(Date.from(now));
    root.checkValidity(Date.from(now)); // an anchor's is not looked at
    CertPath path =
        CertificateFactory.getInstance("X.509", Keys.PROVIDER)
            .generateCertPath(chain.subList(0, chain.size() - 1));
    CertPathValidator.getInstance("PKIX", Keys.PROVIDER).validate(path, parameters);
  }
}
