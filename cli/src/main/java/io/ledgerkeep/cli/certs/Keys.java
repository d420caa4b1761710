package io.ledgerkeep.cli.certs;

import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.RSAKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.HexFormat;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTNamedCurves;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.ECNamedCurveTable;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.jce.interfaces.ECPrivateKey;
import org.bouncycastle.jce.interfaces.ECPublicKey;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jce.spec.ECParameterSpec;
import org.bouncycastle.math.ec.ECPoint;

/** What is done with keys of RSA, EC and SM2. */
final class Keys {

  /** Never registered: what else runs in the process keeps its providers. */
  static final Provider PROVIDER = new BouncyCastleProvider();

  private static final int LEAST_RSA_BITS = 2048;
  private static final String EC = "EC";
  private static final int HEX = 16;

  private Keys() {}

  /** How a key signs. */
  private record Signing(String name, AlgorithmIdentifier identifier) {}

  /** Returns the algorithm in words: {@code RSA 2048}, {@code EC P-256}, {@code SM2}. */
  static String algorithm(PublicKey key) {
    if (key instanceof RSAPublicKey rsa) {
      return "RSA " + rsa.getModulus().bitLength();
    }
    if (isSm2(key)) {
      return "SM2";
    }
    return curve(key)
        .map(Keys::curveName)
        .map(name -> EC + " " + name)
        .orElseGet(key::getAlgorithm);
  }

  private static String curveName(ASN1ObjectIdentifier curve) {
    String name = NISTNamedCurves.getName(curve);
    if (name == null) {
      name = ECNamedCurveTable.getName(curve);
    }
    return name == null ? curve.getId() : name;
  }

  static boolean isSm2(PublicKey key) {
    return curve(key).filter(GMObjectIdentifiers.sm2p256v1::equals).isPresent();
  }

  /** Returns the curve of a key on one that has a name. */
  private static Optional<ASN1ObjectIdentifier> curve(PublicKey key) {
    if (!(key instanceof ECPublicKey)) {
      return Optional.empty();
    }
    AlgorithmIdentifier algorithm = info(key).getAlgorithm();
    return algorithm.getParameters() instanceof ASN1ObjectIdentifier curve
        ? Optional.of(curve)
        : Optional.empty();
  }

  static SubjectPublicKeyInfo info(PublicKey key) {
    return SubjectPublicKeyInfo.getInstance(key.getEncoded());
  }

  /** Returns whether new keys of that kind can be made, and sign. */
  static boolean isKnown(PublicKey key) {
    return key instanceof RSAPublicKey || curve(key).isPresent();
  }

  /** Returns a fresh pair of the kind and strength of a key; of RSA 2048 bits at least. */
  static KeyPair freshLike(PublicKey former, SecureRandom random) throws GeneralSecurityException {
    KeyPairGenerator generator;
    if (former instanceof RSAPublicKey rsa) {
      generator = KeyPairGenerator.getInstance("RSA", PROVIDER);
      int bits = Math.max(LEAST_RSA_BITS, rsa.getModulus().bitLength());
      generator.initialize(new RSAKeyGenParameterSpec(bits, RSAKeyGenParameterSpec.F4), random);
    } else {
      generator = KeyPairGenerator.getInstance(EC, PROVIDER);
      generator.initialize(new ECGenParameterSpec(curve(former).orElseThrow().getId()), random);
    }
    return generator.generateKeyPair();
  }

  static AlgorithmIdentifier signatureAlgorithm(PublicKey signer) {
    return signing(signer).identifier();
  }

  static byte[] sign(KeyPair signer, byte[] data) throws GeneralSecurityException {
    Signature signature = Signature.getInstance(signing(signer.getPublic()).name(), PROVIDER);
    signature.initSign(signer.getPrivate());
    signature.update(data);
    return signature.sign();
  }

  private static Signing signing(PublicKey signer) {
    if (signer instanceof RSAPublicKey) {
      return new Signing(
          "SHA256withRSA",
          new AlgorithmIdentifier(PKCSObjectIdentifiers.sha256WithRSAEncryption, DERNull.INSTANCE));
    }
    if (isSm2(signer)) {
      return new Signing(
          "SM3withSM2", new AlgorithmIdentifier(GMObjectIdentifiers.sm2sign_with_sm3));
    }
    int bits = ((ECPublicKey) signer).getParameters().getCurve().getFieldSize();
    return bits > 256
        ? new Signing(
            "SHA384withECDSA", new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA384))
        : new Signing(
            "SHA256withECDSA", new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256));
  }

  /** Returns whether the keys are a pair, and what one signs the other accepts. */
  static boolean isPair(PrivateKey secret, PublicKey key) {
    if (!isKnown(key) || !looksLikePair(secret, key)) {
      return false;
    }
    byte[] challenge = new byte[32];
    try {
      Signature signature = Signature.getInstance(signing(key).name(), PROVIDER);
      signature.initVerify(key);
      signature.update(challenge);
      return signature.verify(sign(new KeyPair(key, secret), challenge));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return false;
    }
  }

  private static boolean looksLikePair(PrivateKey secret, PublicKey key) {
    Optional<String> identity = identity(secret);
    return identity.isPresent() && identity.equals(identity(key));
  }

  /** Returns what the two keys of a pair have in common, and no others: no secret. */
  static Optional<String> identity(Key key) {
    if (key instanceof RSAKey rsa) {
      return Optional.of(rsa.getModulus().toString(HEX));
    }
    if (key instanceof ECPrivateKey secret) {
      ECParameterSpec parameters = secret.getParameters();
      return Optional.of(
          identity(parameters, parameters.getG().multiply(secret.getD()).normalize()));
    }
    return key instanceof ECPublicKey open
        ? Optional.of(identity(open.getParameters(), open.getQ().normalize()))
        : Optional.empty();
  }

  private static String identity(ECParameterSpec parameters, ECPoint point) {
    return parameters.getN().toString(HEX) + HexFormat.of().formatHex(point.getEncoded(true));
  }
}
