package io.ledgerkeep.cli.certs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ledgerkeep.Options;
import io.ledgerkeep.cli.certs.CertificateChanges.Plan;
import io.ledgerkeep.cli.report.Finding;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.StorageException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;
import org.bouncycastle.util.io.pem.PemReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Certificates are replaced and retired whole or not at all, and no key stays behind. */
final class CertificateChangesTest {

  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
  private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
  private static final SecureRandom RANDOM = new SecureRandom();

  @TempDir private Path directory;
  private Path root;
  private Path keyFile;

  @BeforeEach
  void copy() throws IOException {
    root = TestCertificates.copyTo(directory);
    keyFile = TestCertificates.backupKey(directory);
  }

  @AfterEach
  void nobodyIsTold() {
    Steps.tell(null);
  }

  // ------------------------------------------------------------------------------------ helpers

  /** What is planned with a directory that is held. */
  private interface Planned {
    Plan plan(CertificateChanges changes) throws IOException, GeneralSecurityException;
  }

  private BackupKey key() {
    return BackupKey.open("aes", Options.of("key", "file:" + keyFile), RANDOM);
  }

  private Path carryOut(Planned planned) throws IOException, GeneralSecurityException {
    try (BackupKey key = key();
        CertificateChanges changes = CertificateChanges.hold(root, key, CLOCK, RANDOM);
        Plan plan = planned.plan(changes)) {
      return changes.carryOut(plan);
    }
  }

  private void rotate(String... names) throws IOException, GeneralSecurityException {
    carryOut(changes -> changes.renewal(List.of(names), OptionalLong.empty()));
  }

  private List<Finding> findings() throws IOException {
    return CertificateCheck.findings(
        CertificateDirectory.read(root), new CertificateCheck.Request(0, List.of(), NOW));
  }

  private X509Certificate certificate(String name) throws IOException {
    return CertificateDirectory.read(root).named(List.of(name)).get(0).certificate().orElseThrow();
  }

  private List<String> keys() {
    return TestCertificates.contents(root).entrySet().stream()
        .filter(file -> file.getKey().endsWith(".key"))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** Nothing of the keys is anywhere, but in the files of those that are in force. */
  private void assertNoCopyOf(List<String> gone) throws IOException {
    assertThat(TestCertificates.holders(directory, gone)).isEmpty();
    for (String key : keys()) {
      assertThat(TestCertificates.holders(directory, List.of(key))).hasSize(1);
    }
    assertThat(CertificateDirectory.read(root).others()).isEmpty();
  }

  private static void refuse(ThrowingCallable call, Class<?> type, String message) {
    assertThatThrownBy(call).isInstanceOf(type).hasMessageContaining(message);
  }

  // ----------------------------------------------------------------------------------- rotation

  @ParameterizedTest
  @ValueSource(strings = {"node0/ssl", "sdk/sdk", "node0/sm_ssl", "node0/sm_enssl"})
  void oneCertificateIsReplacedAndNothingElse(String name) throws Exception {
    Map<String, String> before = TestCertificates.contents(root);
    X509Certificate former = certificate(name);
    rotate(name);
    X509Certificate next = certificate(name);
    assertThat(findings()).isEmpty();
    assertThat(next.getSubjectX500Principal()).isEqualTo(former.getSubjectX500Principal());
    assertThat(next.getSerialNumber()).isPositive().isNotEqualTo(former.getSerialNumber());
    assertThat(next.getPublicKey()).isNotEqualTo(former.getPublicKey());
    assertThat(Keys.algorithm(next.getPublicKey()))
        .isEqualTo(Keys.algorithm(former.getPublicKey()));
    assertThat(next.getKeyUsage()).isEqualTo(former.getKeyUsage());
    assertThat(next.getExtendedKeyUsage()).isEqualTo(former.getExtendedKeyUsage());
    assertThat(String.valueOf(names(next))).isEqualTo(String.valueOf(names(former)));
    Map<String, String> after = TestCertificates.contents(root);
    assertThat(after.keySet()).isEqualTo(before.keySet());
    assertThat(after.keySet())
        .filteredOn(file -> !after.get(file).equals(before.get(file)))
        .containsExactlyInAnyOrder(name + ".crt", name + ".key");
    assertNoCopyOf(List.of(before.get(name + ".key")));
  }

  private static List<List<?>> names(X509Certificate certificate) throws GeneralSecurityException {
    var names = certificate.getSubjectAlternativeNames();
    return names == null ? List.of() : List.copyOf(names);
  }

  @Test
  void aNewCaTakesAllBelowItAlong() throws Exception {
    Map<String, String> before = TestCertificates.contents(root);
    List<String> keys = keys();
    rotate("ca", "sm_ca");
    assertThat(findings()).isEmpty();
    Map<String, String> after = TestCertificates.contents(root);
    assertThat(after.keySet()).isEqualTo(before.keySet());
    after.forEach((file, content) -> assertThat(content).as(file).isNotEqualTo(before.get(file)));
    assertThat(after).containsEntry("node0/ca.crt", after.get("ca.crt"));
    assertThat(after.get("node0/ssl.crt")).endsWith(after.get("agency/agency.crt"));
    assertNoCopyOf(keys);
  }

  /** The JVM knows nothing of Bouncy Castle's certificates, nor of SM2. */
  @Test
  void theJvmValidatesWhatWasIssued() throws Exception {
    rotate("ca");
    for (String name : List.of("node0/ssl", "sdk/sdk")) {
      List<X509Certificate> chain = new ArrayList<>();
      for (String each : List.of(name, "agency/agency", "ca")) {
        chain.add(byJvm(root.resolve(each + ".crt")));
      }
      PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(chain.get(2), null)));
      parameters.setRevocationEnabled(false);
      parameters.setDate(Date.from(NOW));
      CertPathValidator.getInstance("PKIX")
          .validate(
              CertificateFactory.getInstance("X.509").generateCertPath(chain.subList(0, 2)),
              parameters);
    }
  }

  private static X509Certificate byJvm(Path file) throws IOException, GeneralSecurityException {
    try (var in = Files.newInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  /** Only where it is there; what it says of SM2 is asked of nobody else. */
  @Test
  void opensslVerifiesWhatWasIssued() throws Exception {
    assumeTrue(openssl("version") == 0, "not this: there is no openssl");
    carryOut(changes -> changes.renewal(List.of("ca", "sm_ca"), OptionalLong.empty()));
    String[] at = {"-attime", Long.toString(NOW.getEpochSecond())};
    assertThat(
            openssl(
                "verify",
                at[0],
                at[1],
                "-CAfile",
                "ca.crt",
                "-untrusted",
                "agency/agency.crt",
                "node0/ssl.crt",
                "sdk/sdk.crt"))
        .isZero();
    for (String name : List.of("agency/sm_agency", "node0/sm_ssl", "node0/sm_enssl")) {
      String issuer = name.startsWith("node0") ? "agency/sm_agency" : "sm_ca";
      assertThat(sm2SignatureByOpenssl(name, issuer)).as(name).isZero();
    }
    for (String name : TestCertificates.NAMES) {
      assertThat(openssl("pkey", "-in", name + ".key", "-check", "-noout")).as(name).isZero();
    }
  }

  /** Its {@code verify} knows no identity of who signs with SM2, not even for what it made. */
  private int sm2SignatureByOpenssl(String name, String issuer) throws Exception {
    X509Certificate certificate = certificate(name);
    Files.write(root.resolve("tbs"), certificate.getTBSCertificate());
    Files.write(root.resolve("signature"), certificate.getSignature());
    assertThat(openssl("x509", "-in", issuer + ".crt", "-pubkey", "-noout", "-out", "pub"))
        .isZero();
    return openssl(
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "pub",
        "-rawin",
        "-digest",
        "sm3",
        "-in",
        "tbs",
        "-sigfile",
        "signature",
        "-pkeyopt",
        "distid:1234567812345678");
  }

  private int openssl(String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(List.of(args));
    try {
      return new ProcessBuilder(command)
          .directory(root.toFile())
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (IOException e) {
      return -1;
    }
  }

  @Test
  void daysSetTheValidityUpToThatOfTheIssuer() throws Exception {
    carryOut(changes -> changes.renewal(List.of("node0/ssl"), OptionalLong.of(90)));
    assertThat(certificate("node0/ssl").getNotAfter().toInstant())
        .isEqualTo(Instant.parse("2030-04-01T00:00:00Z"));
    refuse(
        () -> carryOut(changes -> changes.renewal(List.of("node0/ssl"), OptionalLong.of(36500))),
        ConfigurationException.class,
        "longer than CN=agencyA,O=agencyA, which signs it and ends at 2123-01-01T00:00:00Z");
    rotate("node0/ssl"); // as long as the former
    assertThat(certificate("node0/ssl").getNotAfter().toInstant())
        .isEqualTo(Instant.parse("2030-04-01T00:00:00Z"));
  }

  @Test
  void withoutTheKeyOfWhoSignsItIsRefused() throws Exception {
    Files.delete(root.resolve("agency/agency.key"));
    Map<String, String> before = TestCertificates.contents(root);
    refuse(
        () -> rotate("node0/ssl"),
        ConflictException.class,
        "there is no readable key of CN=agencyA,O=agencyA");
    refuse(() -> rotate("ca"), ConflictException.class, "so it cannot be replaced here");
    refuse(() -> rotate("node9/ssl"), ConfigurationException.class, "there is no certificate");
    refuse(() -> rotate("../certs/ca"), ConfigurationException.class, "there is no certificate");
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
  }

  @Test
  void anExpiredIssuerSignsNothing() throws Exception {
    Instant begin = Instant.parse("2025-01-01T00:00:00Z");
    TestCertificates.reissue(
        root, "agency/sm_agency", "sm_ca", begin, Instant.parse("2029-01-01T00:00:00Z"));
    refuse(() -> rotate("node0/sm_ssl"), ConfigurationException.class, "would not be valid");
  }

  @Test
  void whatNobodyMayReadStaysSo() throws Exception {
    TestCertificates.mode(root.resolve("node0/ssl.crt"), "rw-r-----");
    TestCertificates.mode(root.resolve("node0/ssl.key"), "rw-r--r--");
    rotate("node0/ssl");
    assertThat(permissions("node0/ssl.crt")).isEqualTo("rw-r-----");
    assertThat(permissions("node0/ssl.key")).isEqualTo("rw-------");
    assertThat(permissions("backups")).isEqualTo("rwx------");
  }

  private String permissions(String file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve(file)));
  }

  @Test
  void aKeyWithASecondNameIsRefused() throws Exception {
    Files.createLink(directory.resolve("copy"), root.resolve("node0/ssl.key"));
    refuse(() -> rotate("node0/ssl"), ConflictException.class, "has a second name elsewhere");
    assertThat(findings()).isEmpty();
  }

  @Test
  void aDirectoryThatBecameALinkIsRefused() throws Exception {
    try (BackupKey key = key();
        CertificateChanges changes = CertificateChanges.hold(root, key, CLOCK, RANDOM);
        Plan plan = changes.renewal(List.of("node0/ssl"), OptionalLong.empty())) {
      Path elsewhere = directory.resolve("elsewhere");
      Map<String, String> before = TestCertificates.contents(root.resolve("node0"));
      Steps.tell(step -> becomeLink(step, root.resolve("node0"), elsewhere));
      refuse(() -> changes.carryOut(plan), StorageException.class, "must be no link");
      assertThat(TestCertificates.contents(elsewhere)).isEqualTo(before);
    }
  }

  private static void becomeLink(String step, Path place, Path elsewhere) {
    if (step.equals("begun")) {
      try {
        Files.createSymbolicLink(place, Files.move(place, elsewhere));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Test
  void aFileThatWasChangedAfterItWasReadIsNotOverwritten() throws Exception {
    try (BackupKey key = key();
        CertificateChanges changes = CertificateChanges.hold(root, key, CLOCK, RANDOM);
        Plan plan = changes.renewal(List.of("node0/ssl"), OptionalLong.empty())) {
      Files.writeString(root.resolve("node0/ssl.key"), "of others");
      Map<String, String> before = TestCertificates.contents(root);
      refuse(
          () -> changes.carryOut(plan),
          ConflictException.class,
          "node0/ssl.key was changed since it was read");
      assertThat(TestCertificates.contents(root)).isEqualTo(before);
    }
  }

  /** Who renews a certificate often keeps the key. */
  private void renewWithTheSameKey(String name, String issuer, String formerName)
      throws IOException, GeneralSecurityException {
    Path former = root.resolve(formerName + ".crt");
    Files.createDirectories(former.getParent());
    Files.copy(root.resolve(name + ".crt"), former);
    TestCertificates.reissue(root, name, issuer, NOW.minusSeconds(60), NOW.plusSeconds(86_400));
  }

  @Test
  void aKeyThatAnotherCertificateNeedsStays() throws Exception {
    renewWithTheSameKey("node0/ssl", "agency/agency", "old/ssl");
    Map<String, String> before = TestCertificates.contents(root);
    for (String name : List.of("old/ssl", "node0/ssl")) {
      refuse(
          () -> rotate(name),
          ConflictException.class,
          "the key in node0/ssl.key is also that of a certificate of CN=node0,O=agencyA");
    }
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
    carryOut(changes -> changes.retirement(List.of("old/ssl")));
    assertThat(root.resolve("old/ssl.crt")).doesNotExist();
    assertThat(root.resolve("node0/ssl.key")).hasContent(before.get("node0/ssl.key"));
    assertThat(findings()).isEmpty();
    rotate("node0/ssl");
    assertNoCopyOf(List.of(before.get("node0/ssl.key")));
  }

  @Test
  void theFormerCertificateOfAnAuthorityThatKeptItsKeyIsRetired() throws Exception {
    renewWithTheSameKey("ca", "ca", "old/ca");
    Files.delete(root.resolve("node0/ca.crt"));
    carryOut(changes -> changes.retirement(List.of("old/ca")));
    assertThat(root.resolve("ca.key")).exists();
    assertThat(findings()).filteredOn(each -> each.subject().startsWith("old")).isEmpty();
    refuse(
        () -> carryOut(changes -> changes.retirement(List.of("ca"))),
        ConflictException.class,
        "which is still there");
  }

  @Test
  void aKeyFileThatHoldsMoreIsNotReplaced() throws Exception {
    String key = TestCertificates.text(root.resolve("node0/ssl.key"));
    String both = key + TestCertificates.text(root.resolve("node0/ssl.crt"));
    for (String name : List.of("node0/both.pem", "node0/ssl.pem")) {
      Path file = Files.writeString(root.resolve(name), both);
      Map<String, String> before = TestCertificates.contents(root);
      refuse(() -> rotate("node0/ssl"), ConflictException.class, "put that in order first");
      refuse(
          () -> carryOut(changes -> changes.retirement(List.of("node0/ssl"))),
          ConflictException.class,
          "put that in order first");
      assertThat(TestCertificates.contents(root)).isEqualTo(before);
      Files.delete(file);
    }
  }

  @Test
  void aNameThatIsNoTextIsRefused() throws Exception {
    Optional<Path> file = nameThatIsNoText();
    assumeTrue(file.isPresent(), "the file system takes no such name");
    Files.copy(root.resolve("node0/ssl.crt"), file.get(), StandardCopyOption.REPLACE_EXISTING);
    Map<String, String> before = TestCertificates.contents(root);
    refuse(() -> rotate("node0/ssl"), ConfigurationException.class, "rename the file");
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
  }

  /** Java makes none, so a shell does. */
  private Optional<Path> nameThatIsNoText() throws IOException, InterruptedException {
    new ProcessBuilder("sh", "-c", "touch \"$(printf 'n\\377.crt')\"")
        .directory(root.toFile())
        .start()
        .waitFor();
    try (var files = Files.list(root)) {
      return files
          .filter(file -> String.valueOf(file.getFileName()).matches("n.+\\.crt"))
          .findFirst();
    }
  }

  @Test
  void theLastDayThatCanBeSaidIsTheLast() throws Exception {
    Instant last = Instant.parse("9999-12-31T23:59:59Z");
    TestCertificates.reissue(root, "ca", "ca", NOW.minusSeconds(900), last);
    Files.delete(root.resolve("node0/ca.crt"));
    rotate("ca");
    assertThat(certificate("ca").getNotAfter().toInstant()).isEqualTo(last);
    assertThat(findings()).isEmpty();
  }

  @Test
  void authoritiesThatSignedEachOtherAreRefused() throws Exception {
    X509Certificate ca = certificate("ca");
    X509Certificate other = certificate("agency/agency");
    TestCertificates.reissue(
        root,
        "ca",
        "agency/agency",
        new CertificateMaker.Fresh(
            ca.getPublicKey(),
            BigInteger.TEN,
            NOW.minusSeconds(60),
            other.getNotAfter().toInstant()));
    Files.delete(root.resolve("node0/ca.crt"));
    refuse(() -> rotate("ca"), ConfigurationException.class, "is signed by one that it signed");
  }

  @Test
  void backupsAreKeptInADirectoryOfOurs() throws Exception {
    Files.createSymbolicLink(
        root.resolve("backups"), Files.createDirectory(directory.resolve("x")));
    refuse(() -> rotate("node0/ssl"), ConfigurationException.class, "no link to one");
  }

  @Test
  void whatStandsWhereAFileIsPreparedIsNotWrittenThrough() throws Exception {
    Path victim = Files.writeString(directory.resolve("victim"), "of others");
    Files.createSymbolicLink(root.resolve("node0/.ssl.key.next"), victim);
    Files.createLink(root.resolve("node0/.ssl.crt.next"), victim);
    rotate("node0/ssl");
    assertThat(victim).hasContent("of others");
    assertThat(findings()).isEmpty();
  }

  // ---------------------------------------------------------------------------------- undo, retire

  @Test
  void aRotationIsUndoneOnceAndToTheByte() throws Exception {
    Map<String, String> before = TestCertificates.contents(root);
    rotate("ca");
    List<String> made = new ArrayList<>(keys());
    made.removeAll(before.values());
    carryOut(CertificateChanges::undo);
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
    assertThat(made).hasSize(4);
    assertNoCopyOf(made);
    refuse(() -> carryOut(CertificateChanges::undo), ConflictException.class, "no change");
  }

  @Test
  void aFileThatWasChangedSinceIsNotOverwritten() throws Exception {
    rotate("node0/ssl");
    Files.writeString(root.resolve("node0/ssl.crt"), "of others");
    refuse(
        () -> carryOut(CertificateChanges::undo),
        ConflictException.class,
        "node0/ssl.crt was changed since");
    assertThat(root.resolve("node0/ssl.crt")).hasContent("of others");
  }

  @Test
  void whatIsRetiredIsInTheBackupAndNowhereElse() throws Exception {
    Map<String, String> before = TestCertificates.contents(root);
    carryOut(changes -> changes.retirement(List.of("node0/ssl", "node0/sm_ssl")));
    List<String> gone =
        List.of("node0/ssl.crt", "node0/ssl.key", "node0/sm_ssl.crt", "node0/sm_ssl.key");
    assertThat(TestCertificates.contents(root).keySet())
        .doesNotContainAnyElementsOf(gone)
        .hasSize(before.size() - 4);
    assertNoCopyOf(List.of(before.get("node0/ssl.key"), before.get("node0/sm_ssl.key")));
    carryOut(CertificateChanges::undo);
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
    assertThat(permissions("node0/ssl.key")).isEqualTo("rw-------");
  }

  /** Who has the file open sees what becomes of it. */
  @Test
  void theFileOfAFormerKeyIsOverwrittenNotOnlyRemoved() throws Exception {
    Planned rotation = changes -> changes.renewal(List.of("node0/ssl"), OptionalLong.of(9));
    Planned retirement = changes -> changes.retirement(List.of("node0/ssl"));
    for (Planned planned : List.of(rotation, retirement)) {
      try (FileChannel open = FileChannel.open(root.resolve("node0/ssl.key"))) {
        assertThat(open.size()).isPositive();
        carryOut(planned);
        assertThat(open.size()).isZero();
      }
    }
  }

  @Test
  void aKeyInAnotherFormIsOverwrittenToo() throws Exception {
    byte[] key = certificateKey("node0/ssl").getEncoded();
    Files.write(root.resolve("node0/ssl.key"), key);
    List<String> steps = new ArrayList<>();
    Steps.tell(steps::add);
    carryOut(changes -> changes.retirement(List.of("node0/ssl")));
    assertThat(steps).contains("linked", "overwritten");
    carryOut(CertificateChanges::undo);
    assertThat(root.resolve("node0/ssl.key")).hasBinaryContent(key);
  }

  private PrivateKey certificateKey(String name) throws IOException {
    return CertificateDirectory.read(root).keyOf(certificate(name)).orElseThrow();
  }

  @Test
  void whoSignedOthersIsRetiredWithThemOnly() throws Exception {
    refuse(
        () -> carryOut(changes -> changes.retirement(List.of("agency/agency"))),
        ConflictException.class,
        "CN=agencyA,O=agencyA signed CN=");
    carryOut(changes -> changes.retirement(List.of("ca", "agency/agency", "node0/ssl", "sdk/sdk")));
    assertThat(findings()).isEmpty();
    assertThat(TestCertificates.contents(root).keySet())
        .allMatch(file -> file.contains("sm_"))
        .hasSize(9);
  }

  // -------------------------------------------------------------------------------- signed
  // elsewhere

  private byte[] request(String name) throws IOException, GeneralSecurityException {
    try (BackupKey key = key();
        CertificateChanges changes = CertificateChanges.hold(root, key, CLOCK, RANDOM)) {
      return changes.request(name);
    }
  }

  /** Plays the authority: signs whatever the request says, in the likeness of a certificate. */
  private byte[] sign(byte[] request, String like, String issuer)
      throws IOException, GeneralSecurityException {
    return Pem.of(List.of(signed(request, certificate(like), issuer)));
  }

  private X509Certificate signed(byte[] request, X509Certificate like, String issuer)
      throws IOException, GeneralSecurityException {
    CertificationRequest read;
    try (PemReader reader =
        new PemReader(
            new InputStreamReader(new ByteArrayInputStream(request), StandardCharsets.US_ASCII))) {
      read = CertificationRequest.getInstance(reader.readPemObject().getContent());
    }
    var info = read.getCertificationRequestInfo();
    var subjectKey =
        KeyFactory.getInstance(
                info.getSubjectPublicKeyInfo().getAlgorithm().getAlgorithm().getId(), Keys.PROVIDER)
            .generatePublic(new X509EncodedKeySpec(info.getSubjectPublicKeyInfo().getEncoded()));
    X509Certificate signer = certificate(issuer);
    KeyPair keys =
        new KeyPair(
            signer.getPublicKey(), CertificateDirectory.read(root).keyOf(signer).orElseThrow());
    return CertificateMaker.issue(
        like,
        new CertificateMaker.Fresh(
            subjectKey, BigInteger.valueOf(77), NOW.minusSeconds(60), NOW.plusSeconds(86_400)),
        CertificateMaker.Issuer.of(signer, keys));
  }

  /** Of the same subject, but without the names, or the uses, of the original. */
  private X509Certificate without(String name, ASN1ObjectIdentifier extension) throws Exception {
    X509Certificate original = certificate(name);
    TBSCertificate content = TBSCertificate.getInstance(original.getTBSCertificate());
    V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
    generator.setSerialNumber(new ASN1Integer(5));
    generator.setSignature(content.getSignature());
    generator.setIssuer(content.getIssuer());
    generator.setValidity(content.getValidity());
    generator.setSubject(content.getSubject());
    generator.setSubjectPublicKeyInfo(content.getSubjectPublicKeyInfo());
    List<Extension> kept = new ArrayList<>();
    for (ASN1ObjectIdentifier each : content.getExtensions().getExtensionOIDs()) {
      if (!each.equals(extension)) {
        kept.add(content.getExtensions().getExtension(each));
      } else if (each.equals(Extension.keyUsage)) {
        byte[] other = new KeyUsage(KeyUsage.keyAgreement).getEncoded();
        kept.add(new Extension(each, true, other));
      } else if (each.equals(Extension.extendedKeyUsage)) {
        byte[] other = new ExtendedKeyUsage(KeyPurposeId.id_kp_emailProtection).getEncoded();
        kept.add(new Extension(each, false, other));
      }
    }
    generator.setExtensions(new Extensions(kept.toArray(Extension[]::new)));
    byte[] encoded =
        new DERSequence(
                new ASN1Encodable[] {
                  generator.generateTBSCertificate(),
                  content.getSignature(),
                  new DERBitString(original.getSignature())
                })
            .getEncoded();
    return (X509Certificate)
        CertificateFactory.getInstance("X.509", Keys.PROVIDER)
            .generateCertificate(new ByteArrayInputStream(encoded));
  }

  @Test
  void whatIsForLessThanTheFormerIsRefused() throws Exception {
    assertRefusedWithout(
        "node0/ssl", Extension.subjectAlternativeName, "it lacks node0.example, 127.0.0.1");
    assertRefusedWithout("node0/ssl", Extension.keyUsage, "it lacks a key usage");
    assertRefusedWithout("sdk/sdk", Extension.extendedKeyUsage, "it lacks an extended key usage");
  }

  private void assertRefusedWithout(String name, ASN1ObjectIdentifier extension, String message)
      throws Exception {
    Map<String, String> before = TestCertificates.contents(root);
    X509Certificate like = without(name, extension);
    byte[] less = Pem.of(List.of(signed(request(name), like, "agency/agency")));
    refuse(() -> carryOut(changes -> changes.signed(less)), ConfigurationException.class, message);
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
  }

  @Test
  void whatIsAboveMustHaveSignedWhatIsBelow() throws Exception {
    byte[] request = request("node0/ssl");
    X509Certificate own = signed(request, certificate("node0/ssl"), "agency/agency");
    byte[] disordered = Pem.of(List.of(own, certificate("ca"), certificate("agency/agency")));
    refuse(
        () -> carryOut(changes -> changes.signed(disordered)),
        ConfigurationException.class,
        "CN=chain1,O=chain after CN=node0,O=agencyA, which it did not sign");
    X509Certificate byRoot = signed(request, certificate("node0/ssl"), "ca");
    refuse(
        () -> carryOut(changes -> changes.signed(Pem.of(List.of(byRoot)))),
        ConfigurationException.class,
        "CN=agencyA,O=agencyA after CN=node0,O=agencyA, which it did not sign");
    Files.write(
        root.resolve("bundle.crt"),
        Pem.of(List.of(certificate("agency/agency"), certificate("node0/ssl"))));
    byte[] ordered = Pem.of(List.of(own, certificate("agency/agency"), certificate("ca")));
    carryOut(changes -> changes.signed(ordered));
    assertThat(root.resolve("node0/ssl.crt")).hasBinaryContent(ordered);
    assertThat(Pem.certificates(Files.readAllBytes(root.resolve("bundle.crt"))))
        .containsExactly(certificate("agency/agency"), own);
  }

  @ParameterizedTest
  @ValueSource(strings = {"node0/ssl", "sdk/sdk", "node0/sm_ssl"})
  void aCertificateSignedElsewhereIsTakenIn(String name) throws Exception {
    String issuer = name.contains("sm_") ? "agency/sm_agency" : "agency/agency";
    Map<String, String> before = TestCertificates.contents(root);
    byte[] request = request(name);
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
    byte[] signed = sign(request, name, issuer);
    carryOut(changes -> changes.signed(signed));
    assertThat(findings()).isEmpty();
    assertThat(certificate(name).getSerialNumber()).isEqualTo(77);
    assertNoCopyOf(List.of(before.get(name + ".key")));
    refuse(
        () -> request("agency/agency"),
        ConfigurationException.class,
        "signed others here, which would have to be signed anew");
  }

  @Test
  void opensslAcceptsTheRequest() throws Exception {
    assumeTrue(openssl("version") == 0, "not this: there is no openssl");
    for (String name : List.of("node0/ssl", "sdk/sdk")) {
      Files.write(root.resolve("r.csr"), request(name));
      assertThat(openssl("req", "-in", "r.csr", "-verify", "-noout")).as(name).isZero();
    }
  }

  @Test
  void aCertificateOfAnotherIsRefused() throws Exception {
    byte[] request = request("node0/ssl");
    byte[] forSdk = sign(request, "sdk/sdk", "agency/agency");
    byte[] bySdk = sign(request, "node0/ssl", "sdk/sdk");
    byte[] signing = sign(request, "agency/agency", "ca");
    byte[] unknown = Files.readAllBytes(root.resolve("sdk/sdk.crt"));
    Map<String, String> before = TestCertificates.contents(root);
    refuse(
        () -> carryOut(changes -> changes.signed(forSdk)),
        ConfigurationException.class,
        "the signed certificate is that of CN=sdk,O=agencyA, but node0/ssl is that of CN=node0");
    refuse(
        () -> carryOut(changes -> changes.signed(bySdk)),
        ConfigurationException.class,
        "would not be valid");
    refuse(
        () -> carryOut(changes -> changes.signed(signing)),
        ConfigurationException.class,
        "is that of CN=agencyA");
    refuse(
        () -> carryOut(changes -> changes.signed(unknown)),
        ConflictException.class,
        "no request was made here");
    refuse(
        () -> carryOut(changes -> changes.signed(bytes("nothing"))),
        ConfigurationException.class,
        "not one in PEM");
    assertThat(TestCertificates.contents(root)).isEqualTo(before);
  }

  // ------------------------------------------------------------------------------------- backups

  @Test
  void aBackupOpensUnderItsKeyOnly() throws Exception {
    rotate("node0/ssl");
    Map<String, String> after = TestCertificates.contents(root);
    Path right = keyFile;
    keyFile = TestCertificates.backupKey(Files.createDirectory(directory.resolve("other")));
    refuse(() -> carryOut(CertificateChanges::undo), KeyUnavailableException.class, "not the one");
    keyFile = right;
    assertThat(TestCertificates.contents(root)).isEqualTo(after);
    carryOut(CertificateChanges::undo);
  }

  @Test
  void aBackupThatWasCutOrChangedIsRefused() throws Exception {
    rotate("sdk/sdk");
    Path backup = root.resolve("backups/000001.lkc");
    byte[] whole = Files.readAllBytes(backup);
    Map<String, String> after = TestCertificates.contents(root);
    try (BackupKey key = key()) {
      for (int at = 0; at < whole.length; at += at < 120 ? 1 : 97) {
        byte[] changed = whole.clone();
        changed[at] ^= 1;
        assertThatThrownBy(() -> key.open(changed, "it"))
            .as("byte " + at)
            .isInstanceOf(LedgerkeepException.class);
        byte[] cut = Arrays.copyOf(whole, at);
        assertThatThrownBy(() -> key.open(cut, "it"))
            .as("cut at " + at)
            .isInstanceOf(LedgerkeepException.class);
      }
    }
    Files.write(backup, Arrays.copyOf(whole, whole.length - 1));
    refuse(() -> carryOut(CertificateChanges::undo), IntegrityException.class, "was damaged");
    assertThat(TestCertificates.contents(root)).isEqualTo(after);
  }

  @Test
  void aPathThatLeadsOutIsNoneOfABackup() {
    for (String path : List.of("../x", "/etc/x", "a/../../x", "..")) {
      byte[] content =
          new ChangeSet(List.of(new FileChange(Path.of(path), new byte[1], null))).encoded();
      refuse(
          () -> ChangeSet.decoded(content, "it"),
          IntegrityException.class,
          "outside of its directory");
    }
  }

  @Test
  void aRecordThatWasChangedIsRefused() throws Exception {
    rotate("node0/ssl");
    Path record = root.resolve("backups/CHANGE");
    Files.writeString(record, Files.readString(record).replace("ended yes", "ended no"));
    refuse(() -> rotate("node0/ssl"), IntegrityException.class, "was damaged");
  }

  @Test
  void twoAtOnceAreRefused() throws Exception {
    try (BackupKey key = key();
        CertificateChanges first = CertificateChanges.hold(root, key, CLOCK, RANDOM)) {
      assertThat(first.interrupted()).isEmpty();
      refuse(() -> rotate("node0/ssl"), ConflictException.class, "another command changes");
    }
  }

  // -------------------------------------------------------------------------------------- kills

  /** As if the process was killed: nothing is caught on the way out. */
  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** Returns whether the change got past that many steps. */
  private boolean isKilledAt(int step, Planned planned) throws Exception {
    int[] passed = {0};
    Steps.tell(
        name -> {
          if (++passed[0] == step) {
            throw new Killed();
          }
        });
    try {
      carryOut(planned);
      return false;
    } catch (Killed e) {
      return true;
    } finally {
      Steps.tell(null);
    }
  }

  /** A change that is killed at every step in turn, and then ended or undone. */
  private void killAtEveryStep(Planned planned, boolean undo) throws Exception {
    Map<String, String> before = TestCertificates.contents(root);
    int step = 1;
    for (; isKilledAt(step, planned); step++) {
      assertEveryKeyIsItsOwnersOnly();
      boolean begun = isInterrupted();
      if (begun) {
        assertThat(findings()).anyMatch(each -> each.what().contains("a change was interrupted"));
        int kill = step % 5 + 1; // the call that ends it may be killed too
        Planned ending = undo ? CertificateChanges::undo : left -> left.interrupted().orElseThrow();
        isKilledAt(kill, ending);
        if (isInterrupted()) {
          carryOut(ending);
        }
      }
      Map<String, String> after = TestCertificates.contents(root);
      List<String> gone =
          before.entrySet().stream()
              .filter(file -> file.getKey().endsWith(".key"))
              .map(Map.Entry::getValue)
              .filter(key -> !after.containsValue(key))
              .toList();
      assertNoCopyOf(gone);
      assertThat(findings()).as("after step " + step).isEmpty();
      if (begun) {
        assertThat(after.equals(before)).as("after step " + step).isEqualTo(undo);
      }
      if (!after.equals(before)) {
        carryOut(CertificateChanges::undo);
        assertThat(TestCertificates.contents(root).equals(before)).isTrue();
      }
    }
    assertThat(step).isGreaterThan(6);
    assertThat(TestCertificates.contents(root).equals(before)).isFalse();
  }

  private boolean isInterrupted() throws IOException {
    try (BackupKey key = key();
        CertificateChanges changes = CertificateChanges.hold(root, key, CLOCK, RANDOM)) {
      Optional<Plan> left = changes.interrupted();
      left.ifPresent(Plan::close);
      return left.isPresent();
    }
  }

  private void assertEveryKeyIsItsOwnersOnly() throws IOException {
    try (var files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (Pem.isSecret(Files.readAllBytes(file))) {
          assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
              .as(file.toString())
              .isEqualTo("rw-------");
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRotationThatIsKilledIsEndedOrUndone(boolean undo) throws Exception {
    killAtEveryStep(
        changes -> changes.renewal(List.of("node0/sm_ssl", "sdk/sdk"), OptionalLong.empty()), undo);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRetirementThatIsKilledIsEndedOrUndone(boolean undo) throws Exception {
    killAtEveryStep(changes -> changes.retirement(List.of("node0/sm_ssl", "sdk/sdk")), undo);
  }

  @Test
  void aRotationThatFailsIsPutBack() throws Exception {
    Map<String, String> before = TestCertificates.contents(root);
    int step = 3;
    List<String> failed = new ArrayList<>();
    for (; failed.isEmpty() || !failed.get(failed.size() - 1).isEmpty(); step++) {
      int[] passed = {0};
      int at = step;
      String[] where = {""};
      Steps.tell(
          name -> {
            if (++passed[0] == at && !name.equals("ended")) {
              where[0] = name;
              throw new IllegalStateException("the disk broke");
            }
          });
      try {
        rotate("sdk/sdk");
      } catch (IllegalStateException e) {
        assertThat(e).hasMessage("the disk broke");
        assertThat(TestCertificates.contents(root)).as("after " + where[0]).isEqualTo(before);
        assertThat(findings()).isEmpty();
      }
      Steps.tell(null);
      failed.add(where[0]);
    }
    assertThat(failed).hasSizeGreaterThan(5);
  }

  @Test
  void nothingTellsWhatAFileHolds() {
    FileChange change = new FileChange(Path.of("a.key"), bytes("former"), bytes("next"));
    assertThat(change.toString()).isEqualTo("FileChange[a.key]");
    assertThat(new TreeMap<>(Map.of("x", change)).toString()).doesNotContain("former", "next");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
