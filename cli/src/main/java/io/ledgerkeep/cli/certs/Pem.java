package io.ledgerkeep.cli.certs;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;
import org.bouncycastle.util.io.pem.PemWriter;

/** Certificates, keys and requests in PEM. No message tells what a file holds. */
final class Pem {

  private static final String CERTIFICATE = "CERTIFICATE";
  private static final String REQUEST = "CERTIFICATE REQUEST";
  private static final String PKCS8 = "PRIVATE KEY";
  private static final byte[] KEY_MARK = "PRIVATE KEY-----".getBytes(StandardCharsets.US_ASCII);

  /** What PEM cannot be read as; the message is for people. */
  static final class MalformedException extends Exception {

    private static final long serialVersionUID = 1L;

    MalformedException(String message) {
      super(message);
    }
  }

  private Pem() {}

  /** Returns whether a file holds a private key, in whatever form. */
  static boolean isSecret(byte[] text) {
    for (int at = 0; at + KEY_MARK.length <= text.length; at++) {
      if (Arrays.equals(text, at, at + KEY_MARK.length, KEY_MARK, 0, KEY_MARK.length)) {
        return true;
      }
    }
    return false;
  }

  /** Returns all certificates of a file, in its order; none where it holds other things only. */
  static List<X509Certificate> certificates(byte[] text) throws MalformedException {
    List<X509Certificate> found = new ArrayList<>();
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509", Keys.PROVIDER);
      for (PemObject object : objects(text)) {
        if (object.getType().equals(CERTIFICATE)) {
          found.add(
              (X509Certificate)
                  factory.generateCertificate(new ByteArrayInputStream(object.getContent())));
        }
      }
      for (X509Certificate certificate : found) {
        certificate.getPublicKey(); // throws where it cannot be decoded
      }
      return found;
    } catch (GeneralSecurityException | RuntimeException e) {
      throw new MalformedException("holds a certificate that cannot be decoded");
    }
  }

  /** Returns the private key of a file; empty where it lies under a passphrase. */
  static Optional<PrivateKey> privateKey(byte[] text) throws MalformedException {
    List<PemObject> keys =
        objects(text).stream().filter(object -> object.getType().endsWith(PKCS8)).toList();
    if (keys.size() != 1) {
      throw new MalformedException("holds " + keys.size() + " private keys in PEM, not one");
    }
    PemObject key = keys.get(0);
    if (key.getType().startsWith("ENCRYPTED") || !key.getHeaders().isEmpty()) {
      return Optional.empty();
    }
    byte[] content = key.getContent();
    try {
      PrivateKeyInfo info = info(key.getType(), content);
      ASN1ObjectIdentifier algorithm = info.getPrivateKeyAlgorithm().getAlgorithm();
      return Optional.of(
          KeyFactory.getInstance(algorithm.getId(), Keys.PROVIDER)
              .generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded())));
    } catch (GeneralSecurityException | IOException | RuntimeException e) {
      throw new MalformedException("holds a private key that cannot be decoded");
    } finally {
      Arrays.fill(content, (byte) 0);
    }
  }

  private static PrivateKeyInfo info(String type, byte[] content) throws IOException {
    return switch (type) {
      case PKCS8 -> PrivateKeyInfo.getInstance(content);
      case "RSA PRIVATE KEY" ->
          new PrivateKeyInfo(
              new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
              RSAPrivateKey.getInstance(content));
      default -> {
        ECPrivateKey key = ECPrivateKey.getInstance(content);
        ASN1Encodable curve = key.getParametersObject();
        yield new PrivateKeyInfo(
            new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, curve), key);
      }
    };
  }

  private static List<PemObject> objects(byte[] text) throws MalformedException {
    List<PemObject> objects = new ArrayList<>();
    try (PemReader reader =
        new PemReader(
            new InputStreamReader(new ByteArrayInputStream(text), StandardCharsets.ISO_8859_1))) {
      for (PemObject object = reader.readPemObject();
          object != null;
          object = reader.readPemObject()) {
        objects.add(object);
      }
      return objects;
    } catch (IOException | RuntimeException e) {
      throw new MalformedException("is damaged, or no PEM");
    }
  }

  static byte[] of(List<X509Certificate> certificates) {
    try {
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      for (X509Certificate certificate : certificates) {
        text.writeBytes(text(CERTIFICATE, certificate.getEncoded()));
      }
      return text.toByteArray();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("it was decoded before", e);
    }
  }

  /** Returns a key as PKCS#8, which all sides read; the caller wipes it. */
  static byte[] of(PrivateKey key) {
    byte[] encoded = key.getEncoded();
    try {
      return text(PKCS8, encoded);
    } finally {
      Arrays.fill(encoded, (byte) 0);
    }
  }

  static byte[] ofRequest(byte[] request) {
    return text(REQUEST, request);
  }

  private static byte[] text(String type, byte[] content) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try (PemWriter writer =
        new PemWriter(new OutputStreamWriter(text, StandardCharsets.US_ASCII))) {
      writer.writeObject(new PemObject(type, content));
    } catch (IOException e) {
      throw new AssertionError("memory does not fail", e);
    }
    return text.toByteArray();
  }
}
