package io.ledgerkeep.cli.certs;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Makes new certificates and keys in the place of some, and of all that those signed. Nothing is
 * written: what is made stays in memory until it was verified and is backed up.
 */
final class Renewal {

  /** Clocks of other machines may be late. */
  private static final Duration BACKDATED = Duration.ofMinutes(5);

  private static final int SERIAL_BITS = 159;

  /** Later than this certificates cannot say, RFC 5280. */
  private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

  private final CertificateDirectory directory;
  private final Instant now;
  private final SecureRandom random;
  private final Set<X509Certificate> former = new LinkedHashSet<>();
  private final Map<X509Certificate, X509Certificate> next = new LinkedHashMap<>();
  private final Map<X509Certificate, KeyPair> keys = new LinkedHashMap<>();
  private final Set<X509Certificate> begun = new HashSet<>();

  Renewal(CertificateDirectory directory, Instant now, SecureRandom random) {
    this.directory = directory;
    this.now = now;
    this.random = random;
  }

  /** Returns the new certificates by the former ones. */
  Map<X509Certificate, X509Certificate> certificates() {
    return Collections.unmodifiableMap(next);
  }

  /** Returns the new private keys by the former certificates. */
  Map<X509Certificate, PrivateKey> keys() {
    Map<X509Certificate, PrivateKey> secrets = new LinkedHashMap<>();
    keys.forEach((certificate, pair) -> secrets.put(certificate, pair.getPrivate()));
    return secrets;
  }

  /**
   * Makes them.
   *
   * @param days for how long they are valid; as long as the former ones were otherwise
   * @throws ConfigurationException if they would be valid for longer than who signs them
   * @throws ConflictException if a key that is needed is not there
   */
  void make(List<CertificateEntry> entries, OptionalLong days) throws GeneralSecurityException {
    for (CertificateEntry entry : entries) {
      addWithAllBelow(entry.certificate().orElseThrow());
    }
    for (X509Certificate each : former) {
      requireKey(each);
    }
    for (X509Certificate each : former) {
      renew(each, days);
    }
  }

  private void addWithAllBelow(X509Certificate certificate) {
    if (former.add(certificate)) {
      for (X509Certificate below : directory.certificates()) {
        if (Chains.isSignedBy(below, certificate)) {
          addWithAllBelow(below);
        }
      }
    }
  }

  private void requireKey(X509Certificate certificate) {
    String subject = certificate.getSubjectX500Principal().getName();
    if (!Keys.isKnown(certificate.getPublicKey())) {
      throw new ConfigurationException(
          "%s is of %s; keys of RSA, EC and SM2 can be made"
              .formatted(subject, Keys.algorithm(certificate.getPublicKey())));
    }
    if (directory.keyOf(certificate).isEmpty()) {
      throw new ConflictException(
          ConflictException.Reason.KEY,
          "there is no readable key of %s in %s, so it cannot be replaced here"
              .formatted(subject, directory.root()));
    }
  }

  /** Who signs comes before whom it signs: it is made first, wherever it stands. */
  private X509Certificate renew(X509Certificate certificate, OptionalLong days)
      throws GeneralSecurityException {
    X509Certificate made = next.get(certificate);
    if (made == null) {
      if (!begun.add(certificate)) {
        throw new ConfigurationException(
            certificate.getSubjectX500Principal().getName()
                + " is signed by one that it signed itself: such cannot be replaced here");
      }
      KeyPair pair = Keys.freshLike(certificate.getPublicKey(), random);
      CertificateMaker.Issuer issuer = issuer(certificate, pair, days);
      made =
          CertificateMaker.issue(
              certificate,
              new CertificateMaker.Fresh(
                  pair.getPublic(), serial(random), from(now), until(certificate, issuer, days)),
              issuer);
      next.put(certificate, made);
      keys.put(certificate, pair);
    }
    return made;
  }

  private CertificateMaker.Issuer issuer(
      X509Certificate certificate, KeyPair pair, OptionalLong days)
      throws GeneralSecurityException {
    if (Chains.isSelfSigned(certificate)) {
      return CertificateMaker.Issuer.itself(certificate, pair);
    }
    X509Certificate issuer =
        Chains.issuer(certificate, directory.certificates())
            .orElseThrow(
                () -> needed("certificate of " + certificate.getIssuerX500Principal().getName()));
    if (former.contains(issuer)) {
      X509Certificate renewed = renew(issuer, days);
      KeyPair signer = keys.get(issuer);
      if (signer == null) {
        throw new AssertionError("a certificate was made without its keys");
      }
      return CertificateMaker.Issuer.of(renewed, signer);
    }
    Optional<PrivateKey> key = directory.keyOf(issuer);
    return CertificateMaker.Issuer.of(
        issuer,
        new KeyPair(
            issuer.getPublicKey(),
            key.orElseThrow(
                () -> needed("readable key of " + issuer.getSubjectX500Principal().getName()))));
  }

  private ConflictException needed(String what) {
    return new ConflictException(
        ConflictException.Reason.KEY,
        "there is no %s in %s, which would have to sign: make a request for it with --csr FILE"
            .formatted(what, directory.root()));
  }

  private Instant until(
      X509Certificate certificate, CertificateMaker.Issuer issuer, OptionalLong days) {
    Optional<Instant> most = issuer.certificate().map(signer -> signer.getNotAfter().toInstant());
    if (days.isEmpty()) {
      Instant span =
          from(now)
              .plus(
                  Duration.between(
                      certificate.getNotBefore().toInstant(),
                      certificate.getNotAfter().toInstant()));
      Instant sayable = span.isAfter(LAST) ? LAST : span;
      return most.filter(sayable::isAfter).orElse(sayable);
    }
    return until(now, days.getAsLong(), issuer);
  }

  /** Returns the end of what is valid for some days, which is not after that of who signs it. */
  static Instant until(Instant now, long days, CertificateMaker.Issuer issuer) {
    Instant wanted = now.plus(Duration.ofDays(days)).truncatedTo(ChronoUnit.SECONDS);
    Optional<X509Certificate> signer = issuer.certificate();
    if (signer.filter(each -> wanted.isAfter(each.getNotAfter().toInstant())).isPresent()) {
      throw new ConfigurationException(
          "--days: a certificate cannot be valid for longer than %s, which signs it and ends at %s"
              .formatted(
                  signer.get().getSubjectX500Principal().getName(),
                  signer.get().getNotAfter().toInstant()));
    }
    return wanted;
  }

  static BigInteger serial(SecureRandom random) {
    return new BigInteger(SERIAL_BITS, random).add(BigInteger.ONE);
  }

  static Instant from(Instant now) {
    return now.minus(BACKDATED).truncatedTo(ChronoUnit.SECONDS);
  }

  /** Returns a key and a request for a certificate in the place of one, to be signed elsewhere. */
  static Request request(X509Certificate certificate, SecureRandom random)
      throws GeneralSecurityException {
    KeyPair pair = Keys.freshLike(certificate.getPublicKey(), random);
    return new Request(
        pair.getPrivate(), Pem.ofRequest(CertificateMaker.request(certificate, pair)));
  }

  /** A key, and the request that is signed with it, in PEM. */
  @SuppressWarnings("ArrayRecordComponent") // written once, and no secret
  record Request(PrivateKey key, byte[] text) {}
}
