package io.ledgerkeep.cli.certs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.cli.report.Finding;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.security.auth.x500.X500Principal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is issued is valid and whole, and nothing that was there changes. */
final class IssuanceTest {

  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

  @TempDir private Path directory;
  private Path root;
  private Map<String, String> before;

  @BeforeEach
  void copy() throws IOException {
    root = TestCertificates.copyTo(directory);
    before = TestCertificates.contents(root);
  }

  @AfterEach
  void nobodyIsTold() {
    Steps.tell(null);
  }

  private Issuance.Issued issue(String name, String by, String... hosts)
      throws IOException, GeneralSecurityException {
    return issue(new Issuance.Wanted(name, by, subject("CN=new,O=x"), List.of(hosts), 30));
  }

  private Issuance.Issued issue(Issuance.Wanted wanted)
      throws IOException, GeneralSecurityException {
    return Issuance.issue(
        root, wanted, false, Clock.fixed(NOW, ZoneOffset.UTC), new SecureRandom());
  }

  private static X500Principal subject(String name) {
    return new X500Principal(name);
  }

  private List<Finding> findings(String... names) throws IOException {
    return CertificateCheck.findings(
        CertificateDirectory.read(root), new CertificateCheck.Request(0, List.of(names), NOW));
  }

  private void assertNothingAdded() {
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource({
    "node1/ssl, agency/agency, EC P-256, ca.crt, 0 2",
    "node1/node, ca, RSA 2048, ca.crt, 0 2",
    "node1/sm_ssl, agency/sm_agency, SM2, sm_ca.crt, 0",
    "node1/sm_enssl, agency/sm_agency, SM2, sm_ca.crt, 2 3 4",
    "sdk1/sdk, agency/agency, EC P-256, ca.crt, 0 2",
    "b/deep/agency, ca, RSA 2048, '', 5 6",
    "b/sm_agency, sm_ca, SM2, '', 5 6"
  })
  void whatIsIssuedIsInOrder(
      String name, String by, String algorithm, String rootFile, String usage) throws Exception {
    X509Certificate made = issue(name, by).certificate();
    assertThat(usage(made)).isEqualTo(usage);
    assertThat(made.getBasicConstraints() >= 0).isEqualTo(usage.contains("5"));
    assertThat(made.getExtendedKeyUsage() != null).isEqualTo(name.endsWith("sdk"));
    assertThat(findings()).isEmpty();
    assertThat(Keys.algorithm(made.getPublicKey())).isEqualTo(algorithm);
    assertThat(made.getSubjectX500Principal()).isEqualTo(subject("CN=new,O=x"));
    assertThat(made.getNotAfter().toInstant()).isEqualTo(Instant.parse("2030-01-31T00:00:00Z"));
    CertificateDirectory read = CertificateDirectory.read(root);
    CertificateEntry entry = read.named(List.of(name)).get(0);
    assertThat(entry.keyState()).isEqualTo("present");
    assertThat(entry.certificates()).hasSize(by.contains("agency") ? 2 : 1);
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(root.resolve(name + ".key"))))
        .isEqualTo("rw-------");
    if (!rootFile.isEmpty()) {
      assertThat(root.resolve(name).resolveSibling(rootFile))
          .hasSameTextualContentAs(root.resolve(rootFile));
    }
    Map<String, String> after = TestCertificates.contents(root);
    assertThat(after)
        .containsAllEntriesOf(before)
        .hasSize(before.size() + (rootFile.isEmpty() ? 2 : 3));
  }

  /** Returns the numbers of the bits of RFC 5280, 4.2.1.3, that are set. */
  private static String usage(X509Certificate certificate) {
    boolean[] bits = certificate.getKeyUsage();
    return IntStream.range(0, bits.length)
        .filter(bit -> bits[bit])
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(" "));
  }

  @Test
  void namesAndAddressesAreThoseGiven() throws Exception {
    issue("node1/ssl", "agency/agency", "Node1.example", "10.0.0.7", "2001:db8::7", "*.b.example");
    Files.delete(root.resolve("node0/ssl.crt"));
    Files.delete(root.resolve("node0/sm_ssl.crt"));
    Files.delete(root.resolve("node0/sm_enssl.crt"));
    assertThat(findings("node1.example", "10.0.0.7", "2001:DB8:0::7", "a.b.example"))
        .noneMatch(each -> each.severity() == Finding.Severity.WRONG);
    assertThat(findings("node2.example")).anyMatch(each -> each.what().startsWith("is not for"));
  }

  @Test
  void theTwoOfSm2LieInOneFolder() throws Exception {
    issue("node1/sm_ssl", "agency/sm_agency");
    assertThat(issue("node1/sm_enssl", "agency/sm_agency").files())
        .containsExactly(Path.of("node1/sm_enssl.key"), Path.of("node1/sm_enssl.crt"));
    assertThat(findings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "node0/ssl, agency/agency, is there already",
    "node1/sm_ssl, agency/agency, does not fit",
    "node1/ssl, agency/sm_agency, does not fit",
    "node1/ssl, sdk/sdk, may sign no certificates",
    "node1/ssl, none, there is no certificate 'none'",
    "node1/other, agency/agency, must tell whose it is",
    "../ssl, agency/agency, is no name",
    "/srv/ssl, agency/agency, is no name",
    "a/../ssl, agency/agency, is no name",
    "backups/ssl, agency/agency, is no name",
    ".node/ssl, agency/agency, is no name"
  })
  void whatWouldNotFitIsRefused(String name, String by, String message) {
    assertThatThrownBy(() -> issue(name, by)).hasMessageContaining(message);
    assertNothingAdded();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "10.0.0.300", "*", "a.*.b", "-a", "a..b", ""})
  void whatIsNoHostIsRefused(String host) {
    assertThatThrownBy(() -> issue("node1/ssl", "agency/agency", host))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("no name or address");
    assertNothingAdded();
  }

  @Test
  void nothingIsOverwrittenNorWrittenThroughALink() throws Exception {
    Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
    Files.createSymbolicLink(root.resolve("node1"), elsewhere);
    assertThatThrownBy(() -> issue("node1/ssl", "agency/agency"))
        .isInstanceOf(ConflictException.class)
        .hasMessageContaining("must be no link");
    assertThat(elsewhere).isEmptyDirectory();
    Files.createDirectory(root.resolve("node2"));
    for (String file : List.of("ssl.key", "ssl.crt", "ssl.pem", "ca.crt")) {
      Path there = Files.writeString(root.resolve("node2").resolve(file), "of others");
      assertThatThrownBy(() -> issue("node2/ssl", "agency/agency"))
          .isInstanceOf(ConflictException.class)
          .hasMessageContaining("is there already");
      assertThat(root.resolve("node2")).isDirectoryContaining(each -> each.equals(there));
      assertThat(there).hasContent("of others");
      Files.delete(there);
    }
  }

  @Test
  void whoSignsMustBeInForceAndHaveItsKey() throws Exception {
    assertThatThrownBy(
            () ->
                issue(
                    new Issuance.Wanted(
                        "node1/ssl", "agency/agency", subject("CN=a"), List.of(), 36_500)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("cannot be valid for longer");
    assertThatThrownBy(
            () ->
                issue(
                    new Issuance.Wanted(
                        "node1/ssl",
                        "agency/agency",
                        subject("CN=agencyA,O=agencyA"),
                        List.of(),
                        5)))
        .hasMessageContaining("must not be that of who signs");
    Files.delete(root.resolve("agency/agency.key"));
    assertThatThrownBy(() -> issue("node1/ssl", "agency/agency"))
        .isInstanceOf(ConflictException.class)
        .hasMessageContaining("there is no readable key of agency/agency");
  }

  @Test
  void whatFailsLeavesNothingAndWhatIsKilledIsDoneAgain() throws Exception {
    for (int step = 1; step <= 6; step++) {
      int[] left = {step};
      Steps.tell(
          name -> {
            if (--left[0] == 0) {
              throw new IllegalStateException("the disk broke");
            }
          });
      assertThatThrownBy(() -> issue("node1/ssl", "agency/agency")).hasMessage("the disk broke");
      Steps.tell(null);
      assertNothingAdded();
    }
    Steps.tell(
        name -> {
          throw new AssertionError("killed");
        });
    assertThatThrownBy(() -> issue("node1/ssl", "agency/agency")).hasMessage("killed");
    Steps.tell(null);
    issue("node1/ssl", "agency/agency");
    assertThat(findings()).isEmpty();
  }
}
