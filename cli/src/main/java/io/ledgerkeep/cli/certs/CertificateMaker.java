package io.ledgerkeep.cli.certs;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.pkcs.Attribute;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;

/**
 * Makes certificates and requests in the likeness of others: with the same subject and the same
 * extensions, but for those that tell of keys.
 */
final class CertificateMaker {

  private static final int KEY_ID_BYTES = 20;

  /** They are of one key, or of one certificate; the last is what logs promised for it. */
  private static final Set<ASN1ObjectIdentifier> NOT_COPIED =
      Set.of(
          Extension.subjectKeyIdentifier,
          Extension.authorityKeyIdentifier,
          new ASN1ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"));

  private CertificateMaker() {}

  /**
   * Who signs.
   *
   * @param name its subject
   * @param keys its keys
   * @param certificate its certificate; empty where it signs itself
   */
  record Issuer(X500Name name, KeyPair keys, Optional<X509Certificate> certificate) {

    static Issuer of(X509Certificate certificate, KeyPair keys) {
      return new Issuer(subject(certificate), keys, Optional.of(certificate));
    }

    static Issuer itself(X509Certificate like, KeyPair keys) {
      return new Issuer(subject(like), keys, Optional.empty());
    }
  }

  /** What of a certificate is new. */
  record Fresh(PublicKey key, BigInteger serial, Instant from, Instant until) {}

  static X509Certificate issue(X509Certificate like, Fresh fresh, Issuer issuer)
      throws GeneralSecurityException {
    return issue(subject(like), copied(like), fresh, issuer);
  }

  /** Issues one of a subject, with extensions, but for those that tell of keys. */
  static X509Certificate issue(
      X500Name subject, List<Extension> extensions, Fresh fresh, Issuer issuer)
      throws GeneralSecurityException {
    PublicKey signer = issuer.keys().getPublic();
    V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
    generator.setSerialNumber(new ASN1Integer(fresh.serial()));
    generator.setSignature(Keys.signatureAlgorithm(signer));
    generator.setIssuer(issuer.name());
    generator.setStartDate(new Time(Date.from(fresh.from())));
    generator.setEndDate(new Time(Date.from(fresh.until())));
    generator.setSubject(subject);
    generator.setSubjectPublicKeyInfo(Keys.info(fresh.key()));
    generator.setExtensions(extensions(extensions, fresh.key(), issuer));
    TBSCertificate content = generator.generateTBSCertificate();
    return certificate(signed(content, issuer.keys()));
  }

  /** Returns a request for a certificate like that, for other keys, as PKCS#10. */
  static byte[] request(X509Certificate like, KeyPair keys) throws GeneralSecurityException {
    Attribute wanted =
        new Attribute(
            PKCSObjectIdentifiers.pkcs_9_at_extensionRequest,
            new DERSet(new Extensions(copied(like).toArray(Extension[]::new))));
    CertificationRequestInfo content =
        new CertificationRequestInfo(
            subject(like), Keys.info(keys.getPublic()), new DERSet(wanted));
    return signed(content, keys);
  }

  private static byte[] signed(ASN1Encodable content, KeyPair keys)
      throws GeneralSecurityException {
    AlgorithmIdentifier algorithm = Keys.signatureAlgorithm(keys.getPublic());
    byte[] signature = Keys.sign(keys, encoded(content));
    return encoded(
        new DERSequence(new ASN1Encodable[] {content, algorithm, new DERBitString(signature)}));
  }

  private static X509Certificate certificate(byte[] encoded) throws GeneralSecurityException {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509", Keys.PROVIDER)
            .generateCertificate(new ByteArrayInputStream(encoded));
  }

  /** Taken as it is encoded, since names are compared so. */
  private static X500Name subject(X509Certificate certificate) {
    return X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
  }

  private static Extensions extensions(List<Extension> others, PublicKey key, Issuer issuer) {
    List<Extension> all = new ArrayList<>(others);
    all.add(extension(Extension.subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyId(key))));
    byte[] issuerId =
        issuer
            .certificate()
            .map(CertificateMaker::statedKeyId)
            .orElse(keyId(issuer.keys().getPublic()));
    all.add(
        extension(Extension.authorityKeyIdentifier, false, new AuthorityKeyIdentifier(issuerId)));
    return new Extensions(all.toArray(Extension[]::new));
  }

  private static List<Extension> copied(X509Certificate like) throws GeneralSecurityException {
    List<Extension> copied = new ArrayList<>();
    Extensions extensions = TBSCertificate.getInstance(like.getTBSCertificate()).getExtensions();
    if (extensions != null) {
      for (ASN1ObjectIdentifier id : extensions.getExtensionOIDs()) {
        if (!NOT_COPIED.contains(id)) {
          copied.add(extensions.getExtension(id));
        }
      }
    }
    boolean stated =
        copied.stream().anyMatch(each -> each.getExtnId().equals(Extension.basicConstraints));
    if (!stated) {
      // Certificates of version 1 do not say it; whoever validates a chain asks for it.
      copied.add(
          extension(
              Extension.basicConstraints, true, new BasicConstraints(Chains.isSelfSigned(like))));
    }
    return copied;
  }

  static Extension extension(ASN1ObjectIdentifier id, boolean critical, ASN1Encodable value) {
    return new Extension(id, critical, new DEROctetString(encoded(value)));
  }

  /** RFC 7093, method 1. */
  private static byte[] keyId(PublicKey key) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(Keys.info(key).getPublicKeyData().getOctets());
      return Arrays.copyOf(digest, KEY_ID_BYTES);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JVM has SHA-256", e);
    }
  }

  private static byte[] statedKeyId(X509Certificate certificate) {
    byte[] stated = certificate.getExtensionValue(Extension.subjectKeyIdentifier.getId());
    return stated == null
        ? keyId(certificate.getPublicKey())
        : SubjectKeyIdentifier.getInstance(ASN1OctetString.getInstance(stated).getOctets())
            .getKeyIdentifier();
  }

  private static byte[] encoded(ASN1Encodable value) {
    try {
      return value.toASN1Primitive().getEncoded(ASN1Encoding.DER);
    } catch (IOException e) {
      throw new AssertionError("memory does not fail", e);
    }
  }
}
