package io.ledgerkeep.cli.certs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.cli.report.Finding;
import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever is wrong with a certificate or a key is found, and named. */
final class CertificateCheckTest {

  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
  private static final Instant BEGIN = Instant.parse("2025-01-01T00:00:00Z");
  private static final Instant END = Instant.parse("2100-01-01T00:00:00Z");

  @TempDir private Path directory;
  private Path root;

  @BeforeEach
  void copy() throws IOException {
    root = TestCertificates.copyTo(directory);
  }

  private List<String> findings(Instant now, String... names) throws IOException {
    return CertificateCheck.findings(
            CertificateDirectory.read(root), new CertificateCheck.Request(30, List.of(names), now))
        .stream()
        .map(Finding::line)
        .toList();
  }

  private void put(String from, String to) throws IOException {
    Path target = root.resolve(to);
    Files.createDirectories(target.getParent());
    Files.copy(root.resolve(from), target, StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void whatOpensslMadeIsInOrder() throws IOException {
    assertThat(findings(NOW)).isEmpty();
  }

  @Test
  void theEndOfACertificateIsToldBeforeAndAfter() throws IOException {
    assertThat(findings(Instant.parse("2121-12-02T00:00:00Z"))).isEmpty();
    assertThat(findings(Instant.parse("2121-12-15T00:00:00Z")))
        .contains("warning: node0/ssl: expires in 17 days, at 2122-01-01T00:00:00Z")
        .hasSize(4);
    assertThat(findings(Instant.parse("2122-01-01T00:00:01Z")))
        .contains("wrong: node0/sm_ssl: expired at 2122-01-01T00:00:00Z")
        .hasSize(4);
    assertThat(findings(Instant.parse("2023-12-31T00:00:00Z")))
        .contains("wrong: ca: is valid only from 2024-01-01T00:00:00Z on");
  }

  @Test
  void aChainWithoutItsRootIsWrong() throws IOException {
    Files.delete(root.resolve("ca.crt"));
    Files.delete(root.resolve("node0/ca.crt"));
    assertThat(findings(NOW))
        .contains(
            "wrong: node0/ssl: leads to no root: there is no certificate of CN=chain1,O=chain",
            "note: ca: is a key without a certificate");
  }

  @Test
  void anotherRootOfTheSameNameIsNotTakenForIt() throws Exception {
    CertificateDirectory before = CertificateDirectory.read(root);
    Renewal renewal = new Renewal(before, NOW, new SecureRandom());
    renewal.make(before.named(List.of("ca")), OptionalLong.empty());
    byte[] other =
        Pem.of(
            renewal.certificates().values().stream()
                .filter(Chains::isSelfSigned)
                .limit(1)
                .toList());
    Files.write(root.resolve("ca.crt"), other);
    Files.write(root.resolve("node0/ca.crt"), other);
    assertThat(findings(NOW))
        .contains(
            "wrong: node0/ssl: was signed by another CN=chain1,O=chain than the one here",
            "wrong: ca: has a key beside it that does not belong to it");
  }

  @Test
  void aKeyOfAnotherIsNoticed() throws IOException {
    for (String name : List.of("node0/ssl", "node0/sm_ssl", "sdk/sdk")) {
      for (String other : TestCertificates.NAMES) {
        if (!other.equals(name)) {
          put(other + ".key", name + ".key");
          assertThat(findings(NOW))
              .as(other + " at " + name)
              .contains("wrong: " + name + ": has a key beside it that does not belong to it");
        }
      }
      TestCertificates.copyTo(Files.createDirectory(directory.resolve(name.replace('/', '-'))));
    }
  }

  @Test
  void keysMustBeForTheirOwnerOnly() throws IOException {
    TestCertificates.mode(root.resolve("node0/ssl.key"), "rw-r-----");
    assertThat(findings(NOW))
        .containsExactly("wrong: node0/ssl.key: is open to others, rw-r-----: chmod 600");
    TestCertificates.mode(root.resolve("node0/ssl.key"), "r--------");
    assertThat(findings(NOW)).isEmpty();
    TestCertificates.mode(root.resolve("sdk"), "rwxrwxrwx");
    assertThat(findings(NOW))
        .containsExactly("wrong: sdk/sdk.key: lies where everybody can put another in its place");
  }

  @Test
  void linksAreNotFollowed() throws IOException {
    Files.move(root.resolve("node0/ssl.key"), directory.resolve("elsewhere"));
    Files.createSymbolicLink(root.resolve("node0/ssl.key"), directory.resolve("elsewhere"));
    Files.createSymbolicLink(root.resolve("more"), root.resolve("node0"));
    assertThat(findings(NOW))
        .containsExactly(
            "warning: node0/ssl: has no key beside it",
            "warning: more: is a symbolic link, which is not followed",
            "warning: node0/ssl.key: is a symbolic link, which is not followed");
  }

  @Test
  void whatCannotBeReadIsToldWithoutItsContent() throws IOException {
    String key = Files.readString(root.resolve("node0/ssl.key"));
    Files.writeString(root.resolve("node0/ssl.key"), key.substring(0, key.length() / 2));
    Files.writeString(root.resolve("sdk/sdk.crt"), "-----BEGIN CERTIFICATE-----\nAAAA\n");
    Files.writeString(root.resolve("sdk/two.key"), key + key);
    Files.writeString(root.resolve("sdk/both.pem"), key + Files.readString(root.resolve("ca.crt")));
    Files.writeString(root.resolve("sdk/none.crt"), "nothing");
    TestCertificates.mode(root.resolve("sdk/two.key"), "rw-------");
    TestCertificates.mode(root.resolve("sdk/both.pem"), "rw-------");
    List<String> findings = findings(NOW);
    assertThat(findings)
        .contains(
            "wrong: node0/ssl: node0/ssl.key is damaged, or no PEM",
            "wrong: sdk/sdk: sdk/sdk.crt is damaged, or no PEM",
            "wrong: sdk/two: sdk/two.key holds 2 private keys in PEM, not one",
            "wrong: sdk/both: sdk/both.pem holds a key and a certificate: keep them in two files",
            "wrong: sdk/none: sdk/none.crt holds no certificate in PEM");
    for (String line : key.lines().toList()) {
      assertThat(findings).noneMatch(finding -> finding.contains(line));
    }
  }

  @Test
  void aDamagedCertificateIsNoticed() throws IOException {
    byte[] text = Files.readAllBytes(root.resolve("sdk/sdk.crt"));
    text[200] = text[200] == 'A' ? (byte) 'B' : (byte) 'A';
    Files.write(root.resolve("sdk/sdk.crt"), text);
    assertThat(findings(NOW)).isNotEmpty().allMatch(line -> line.startsWith("wrong: sdk/sdk: "));
  }

  @Test
  void aKeyUnderAPassphraseIsToldOf() throws IOException {
    Files.writeString(
        root.resolve("node0/ssl.key"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAwAA==\n-----END ENCRYPTED PRIVATE KEY-----\n");
    assertThat(findings(NOW))
        .containsExactly(
            "warning: node0/ssl: has a key under a passphrase, which was not compared with it");
  }

  @Test
  void keysOfOtherAlgorithmsAreNotCompared() throws Exception {
    KeyPair pair = KeyPairGenerator.getInstance("Ed25519", Keys.PROVIDER).generateKeyPair();
    TestCertificates.reissue(
        root,
        "node0/ssl",
        "agency/agency",
        new CertificateMaker.Fresh(pair.getPublic(), BigInteger.TWO, BEGIN, END));
    Files.write(root.resolve("node0/ssl.key"), Pem.of(pair.getPrivate()));
    assertThat(findings(NOW))
        .containsExactly("warning: node0/ssl: is of Ed25519, whose keys are not compared");
    CertificateDirectory found = CertificateDirectory.read(root);
    Renewal renewal = new Renewal(found, NOW, new SecureRandom());
    assertThatThrownBy(() -> renewal.make(found.named(List.of("node0/ssl")), OptionalLong.empty()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("is of Ed25519; keys of RSA, EC and SM2 can be made");
  }

  @Test
  void filesOfOthersAreNoted() throws IOException {
    Files.writeString(root.resolve("node0/config.ini"), "");
    put("node0/ssl.key", "node0/node.pem");
    TestCertificates.mode(root.resolve("node0/node.pem"), "rw-------");
    assertThat(findings(NOW))
        .containsExactly(
            "note: node0/node: is a key without a certificate",
            "note: node0/config.ini: is not known");
  }

  @Test
  void aCopyOfAKeyUnderAnotherNameIsToldOf() throws IOException {
    put("node0/ssl.key", "node0/ssl.key.bak");
    assertThat(findings(NOW))
        .containsExactly(
            "warning: node0/ssl.key.bak: holds a private key, and its name is none of a key: remove it");
  }

  /** Which has no entry of its own, as its file begins with another. */
  @Test
  void anAuthorityAboveThatExpiredIsNoticed() throws Exception {
    TestCertificates.reissue(
        root, "agency/agency", "ca", BEGIN, Instant.parse("2026-01-01T00:00:00Z"));
    CertificateDirectory found = CertificateDirectory.read(root);
    List<X509Certificate> chain = new ArrayList<>();
    for (String name : List.of("node0/ssl", "agency/agency")) {
      chain.add(found.named(List.of(name)).get(0).certificate().orElseThrow());
    }
    Files.write(root.resolve("node0/ssl.crt"), Pem.of(chain));
    Files.delete(root.resolve("agency/agency.crt"));
    assertThat(findings(NOW)).anyMatch(line -> line.startsWith("wrong: node0/ssl: is not valid: "));
  }

  @Test
  void namesTellTheAlgorithm() throws IOException {
    put("node0/sm_ssl.crt", "node1/ssl.crt");
    put("node0/ssl.crt", "node1/sm_ssl.crt");
    assertThat(findings(NOW))
        .contains(
            "wrong: node1/ssl: is of SM2, whose files are called sm_…",
            "wrong: node1/sm_ssl: is called as one of SM2, and is of RSA 2048");
  }

  @Test
  void certificatesOfNodesMustBeForTheNamesAskedFor() throws IOException {
    assertThat(findings(NOW, "NODE0.example", "127.0.0.1"))
        .containsOnly(
            "wrong: node0/sm_ssl: is not for NODE0.example (subject alternative names)",
            "wrong: node0/sm_ssl: is not for 127.0.0.1 (subject alternative names)",
            "wrong: node0/sm_enssl: is not for NODE0.example (subject alternative names)",
            "wrong: node0/sm_enssl: is not for 127.0.0.1 (subject alternative names)");
    assertThat(findings(NOW, "node1.example"))
        .contains("wrong: node0/ssl: is not for node1.example (subject alternative names)");
  }

  @ParameterizedTest
  @CsvSource({
    "*.example.org, a.example.org, true",
    "*.example.org, A.EXAMPLE.org, true",
    "*.example.org, example.org, false",
    "*.example.org, a.b.example.org, false",
    "a.example.org, *.example.org, false",
    "*, localhost, false",
    "2001:db8:0:0:0:0:0:1, 2001:DB8::1, true",
    "2001:db8:0:0:0:0:0:1, 2001:db8::2, false",
    "10.0.0.1, 10.0.0.1, true",
    "*.0.0.1, 10.0.0.1, false"
  })
  void aStarIsOneLabelAndAnAddressIsOneHoweverItIsWritten(String name, String host, boolean fits) {
    assertThat(Purpose.isFor(List.of(name), host)).isEqualTo(fits);
  }

  @Test
  void whoMaySignIsOnlyWhoIsCalledSo() throws IOException {
    put("ca.crt", "node1/node.crt");
    put("sdk/sdk.crt", "org/agency.crt");
    put("node0/sm_ssl.crt", "node1/sm_enssl.crt");
    put("node0/sm_enssl.crt", "node1/sm_ssl.crt");
    assertThat(findings(NOW))
        .contains(
            "wrong: node1/node: may sign others, which one of its role must not",
            "wrong: org/agency: is called as one that signs others, and may sign none",
            "wrong: node1/sm_enssl: is the one to encrypt with, and its key usage does not allow that",
            "wrong: node1/sm_ssl: is to sign with, and its key usage does not allow that");
  }

  @Test
  void whatASdkSignedIsNotTrusted() throws IOException, GeneralSecurityException {
    TestCertificates.reissue(root, "node0/ssl", "sdk/sdk", BEGIN, END);
    assertThat(findings(NOW))
        .containsExactly("wrong: node0/ssl: CN=sdk,O=agencyA signed it, and may sign none");
  }

  @Test
  void aCertificateThatOutlivesItsIssuerIsToldOf() throws Exception {
    TestCertificates.reissue(
        root, "node0/ssl", "agency/agency", BEGIN, Instant.parse("2123-06-01T00:00:00Z"));
    assertThat(findings(NOW))
        .containsExactly(
            "warning: node0/ssl: is valid for longer than CN=agencyA,O=agencyA, its issuer");
  }

  @Test
  void aSerialNumberIsGivenOnce() throws Exception {
    TestCertificates.reissue(
        root, "node0/ssl", "agency/agency", BEGIN, END, BigInteger.valueOf(0x2002));
    assertThat(findings(NOW))
        .containsExactly(
            "wrong: sdk/sdk: has the serial number of another certificate of its issuer");
  }
}
