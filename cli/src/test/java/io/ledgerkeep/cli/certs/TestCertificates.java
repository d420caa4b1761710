package io.ledgerkeep.cli.certs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPrivateCrtKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bouncycastle.jce.interfaces.ECPrivateKey;

/**
 * A chain, an organisation, a node and an SDK, in RSA and EC and again in SM2, as OpenSSL made them
 * for the tests: certificates from 2024 on, those of nodes until 2122.
 */
public final class TestCertificates {

  /** The names of all that have a key. */
  public static final List<String> NAMES =
      List.of(
          "agency/agency",
          "agency/sm_agency",
          "ca",
          "node0/sm_enssl",
          "node0/sm_ssl",
          "node0/ssl",
          "sdk/sdk",
          "sm_ca");

  private static final Path ORIGINALS = Path.of("src/test/resources/certs");

  private TestCertificates() {}

  /** Copies them; keys are for their owner only. */
  public static Path copyTo(Path directory) throws IOException {
    Path root = directory.resolve("certs");
    try (Stream<Path> files = Files.walk(ORIGINALS)) {
      for (Path file : files.toList()) {
        Path copy = root.resolve(ORIGINALS.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectory(copy);
        } else {
          Files.copy(file, copy);
          mode(copy, file.toString().endsWith(".key") ? "rw-------" : "rw-r--r--");
        }
      }
    }
    return root;
  }

  /** Makes a key file for backups. */
  public static Path backupKey(Path directory) throws IOException {
    byte[] key = new byte[32];
    new SecureRandom().nextBytes(key);
    Path file = Files.write(directory.resolve("backup.key"), key);
    mode(file, "rw-------");
    return file;
  }

  public static void mode(Path file, String permissions) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  /** Returns all files with what they hold, but for the backups. */
  public static Map<String, String> contents(Path root) {
    Map<String, String> contents = new TreeMap<>();
    for (Path file : files(root)) {
      if (!root.relativize(file).startsWith("backups")) {
        contents.put(root.relativize(file).toString(), text(file));
      }
    }
    return contents;
  }

  /**
   * Returns the files that hold one of some private keys: its PEM, or the secret in it as it is.
   */
  public static List<String> holders(Path root, Iterable<String> keys) {
    List<String> holders = new ArrayList<>();
    for (Path file : files(root)) {
      String text = text(file);
      for (String key : keys) {
        List<String> lines = key.lines().filter(line -> line.length() == 64).toList();
        if (lines.stream().anyMatch(text::contains) || text.contains(secret(key))) {
          holders.add(root.relativize(file).toString());
          break;
        }
      }
    }
    return holders;
  }

  private static String secret(String key) {
    try {
      PrivateKey read = Pem.privateKey(key.getBytes(StandardCharsets.ISO_8859_1)).orElseThrow();
      BigInteger secret =
          read instanceof ECPrivateKey ec ? ec.getD() : ((RSAPrivateCrtKey) read).getPrimeP();
      byte[] bytes = secret.toByteArray();
      return new String(bytes, 1, bytes.length - 1, StandardCharsets.ISO_8859_1);
    } catch (Pem.MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Path> files(Path root) {
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String text(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts a certificate like that of a name in its place, signed by the issuer of another name. */
  static void reissue(Path root, String name, String issuer, Instant from, Instant until)
      throws IOException, GeneralSecurityException {
    reissue(root, name, issuer, from, until, BigInteger.valueOf(99));
  }

  static void reissue(
      Path root, String name, String issuer, Instant from, Instant until, BigInteger serial)
      throws IOException, GeneralSecurityException {
    PublicKey key =
        CertificateDirectory.read(root)
            .named(List.of(name))
            .get(0)
            .certificate()
            .orElseThrow()
            .getPublicKey();
    reissue(root, name, issuer, new CertificateMaker.Fresh(key, serial, from, until));
  }

  static void reissue(Path root, String name, String issuer, CertificateMaker.Fresh fresh)
      throws IOException, GeneralSecurityException {
    CertificateDirectory directory = CertificateDirectory.read(root);
    X509Certificate like = directory.named(List.of(name)).get(0).certificate().orElseThrow();
    X509Certificate signer = directory.named(List.of(issuer)).get(0).certificate().orElseThrow();
    KeyPair keys = new KeyPair(signer.getPublicKey(), directory.keyOf(signer).orElseThrow());
    X509Certificate made =
        CertificateMaker.issue(like, fresh, CertificateMaker.Issuer.of(signer, keys));
    Files.write(root.resolve(name + ".crt"), Pem.of(List.of(made)));
  }
}
