package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.cli.certs.KilledAtAStep;
import io.ledgerkeep.cli.certs.TestCertificates;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people and programs are told of certificates, and what they can do with them. */
final class CertsCommandTest {

  @TempDir private Path directory;
  private Path root;
  private Path keyFile;

  @BeforeEach
  void copy() throws IOException {
    root = TestCertificates.copyTo(directory);
    keyFile = TestCertificates.backupKey(directory);
  }

  private Run change(String command, Object... more) {
    return Run.of(withKey(command, more));
  }

  private Object[] withKey(String command, Object... more) {
    return Stream.concat(Stream.of("certs", command, root, "--key", keyFile), Stream.of(more))
        .toArray();
  }

  private Map<String, String> contents() {
    return TestCertificates.contents(root);
  }

  private void assertInOrder() {
    assertThat(Run.of("certs", "check", root).out()).endsWith("nothing is wrong\n");
  }

  @Test
  void whatIsThereIsListed() {
    Run run = Run.of("certs", "list", root);
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains(
            "node0/sm_ssl (node, key present)\n  subject  CN=node0 sm,O=agencyA\n"
                + "  issuer   CN=agencyA sm,O=agencyA\n  serial   4001, SM2\n"
                + "  valid    2024-01-01T00:00:00Z to 2122-01-01T00:00:00Z, ",
            "agency/agency (organisation, key present)",
            "node0/ca (chain, key absent)",
            "serial   2002, EC P-384",
            "serial   0101, RSA 2048".replace("0101", "101"));
    assertThat(Run.of("certs", "list", root, "--json").json().get("certificates"))
        .asInstanceOf(InstanceOfAssertFactories.LIST)
        .hasSize(10);
    assertThat(Run.of("certs", "list", directory.resolve("none")).exitCode())
        .isEqualTo(ExitCode.USAGE);
  }

  @Test
  void theExitCodeIsThatOfTheWorstFinding() throws IOException {
    assertInOrder();
    assertThat(Run.of("certs", "check", root).exitCode()).isZero();
    Files.writeString(root.resolve("config.ini"), "");
    assertThat(Run.of("certs", "check", root).exitCode()).isZero();
    Run soon = Run.of("certs", "check", root, "--warn-days", 60_000);
    assertThat(soon.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(soon.out()).contains("warning: ca: expires in ", "something is to be done");
    Run wrong = Run.of("certs", "check", root, "--name", "node9", "--json");
    assertThat(wrong.exitCode()).isEqualTo(ExitCode.INTEGRITY);
    assertThat(wrong.json()).containsEntry("exitCode", 4L);
    assertThat(wrong.out()).contains("\"severity\":\"wrong\"", "is not for node9");
  }

  @Test
  void aRotationIsShownDoneAndUndone() throws IOException {
    Map<String, String> before = contents();
    Run plan = change("rotate", "node0/ssl", "--dry-run");
    assertThat(plan.exitCode()).as(plan.err()).isZero();
    assertThat(plan.out())
        .contains("would replace:\n  node0/ssl.crt, CN=node0,O=agencyA: until 2122");
    assertThat(contents()).isEqualTo(before);
    assertThat(root.resolve("backups")).doesNotExist();

    assertThat(change("rotate", "node0/ssl").err()).contains("add --yes");
    assertThat(Run.answering("n", withKey("rotate", "node0/ssl")).exitCode())
        .isEqualTo(ExitCode.REFUSED);
    assertThat(contents()).isEqualTo(before);

    Run done = change("rotate", "node0/ssl", "--days", 30, "--yes", "--json");
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.json())
        .containsEntry("changed", true)
        .containsEntry("files", List.of("node0/ssl.crt", "node0/ssl.key"))
        .containsEntry("backup", root.toRealPath().resolve("backups/000001.lkc").toString());
    assertThat(Run.of("certs", "check", root, "--warn-days", 20).exitCode()).isZero();
    assertThat(contents()).isNotEqualTo(before);

    Run undone = change("rotate", "--undo", "--yes");
    assertThat(undone.out()).startsWith("put back:\n");
    assertThat(contents()).isEqualTo(before);
    assertThat(change("rotate", "--undo", "--yes").exitCode()).isEqualTo(ExitCode.REFUSED);
    for (Run run : List.of(plan, done, undone)) {
      assertTellsNoKey(run);
    }
  }

  private void assertTellsNoKey(Run run) throws IOException {
    for (String key : List.of("node0/ssl.key", "ca.key")) {
      for (String line : Files.readAllLines(root.resolve(key))) {
        assertThat(run.out() + run.err()).doesNotContain(line);
      }
    }
  }

  @Test
  void aRequestIsMadeAndWhatWasSignedForItIsTakenIn() throws Exception {
    Map<String, String> before = contents();
    Path request = directory.resolve("node0.csr");
    Run made = change("rotate", "node0/ssl", "--csr", request);
    assertThat(made.exitCode()).as(made.err()).isZero();
    assertThat(request).content().startsWith("-----BEGIN CERTIFICATE REQUEST-----");
    assertThat(contents()).isEqualTo(before);
    Run others = change("rotate", "--signed", root.resolve("sdk/sdk.crt"), "--yes");
    assertThat(others.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(others.err()).contains("no request was made here");
    assertThat(contents()).isEqualTo(before);
  }

  @Test
  void aCertificateOfANewNodeIsIssued() throws IOException {
    Map<String, String> before = contents();
    Object[] issue = {
      "certs",
      "issue",
      root,
      "node1/ssl",
      "--by",
      "agency/agency",
      "--subject",
      "CN=node1",
      "--json"
    };
    Run plan = Run.of(Stream.concat(Stream.of(issue), Stream.of("--dry-run")).toArray());
    assertThat(plan.json()).containsEntry("changed", false);
    assertThat(contents()).isEqualTo(before);
    Run done = Run.of(issue);
    assertThat(done.exitCode()).as(done.err()).isZero();
    assertThat(done.json())
        .containsEntry("subject", "CN=node1")
        .containsEntry("issuer", "CN=agencyA,O=agencyA")
        .containsEntry("files", List.of("node1/ssl.key", "node1/ca.crt", "node1/ssl.crt"));
    for (String line : Files.readAllLines(root.resolve("node1/ssl.key"))) {
      assertThat(done.out() + done.err()).doesNotContain(line);
    }
    assertInOrder();
    assertThat(Run.of(issue).exitCode()).isEqualTo(ExitCode.REFUSED);
    change("rotate", "ca", "--yes");
    assertInOrder();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "node1/ssl",
        "node1/ssl --by agency/agency",
        "node1/ssl --by agency/agency --subject node1",
        "node1/ssl --by agency/agency --subject CN=a --days 0",
        "node1/ssl --by agency/agency --subject CN=a --days 36501",
        "node1/ssl --by none --subject CN=a"
      })
  void wrongUsageOfIssueIsRefused(String more) {
    Map<String, String> before = contents();
    Object[] words =
        Stream.concat(Stream.of("certs", "issue", root), Stream.of(more.split(" "))).toArray();
    assertThat(Run.of(words).exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(contents()).isEqualTo(before);
  }

  @Test
  void aRequestOverwritesNothing() throws IOException {
    Map<String, String> before = contents();
    Run run = change("rotate", "node0/ssl", "--csr", root.resolve("node0/ssl.key"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(run.err()).contains("ssl.key is there already");
    assertThat(contents()).isEqualTo(before);
    Run none = change("rotate", "node0/none", "--csr", directory.resolve("x"), "--dry-run");
    assertThat(none.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(none.err()).contains("there is no certificate 'node0/none'");
  }

  @Test
  void whatIsTooLargeForACertificateIsNotRead() throws IOException {
    Path large = Files.write(directory.resolve("large"), new byte[(1 << 20) + 1]);
    Run run = change("rotate", "--signed", large, "--yes");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("more bytes than a certificate");
  }

  @Test
  void aNameSteersNoTerminalAndFakesNoLine() throws IOException {
    Files.copy(root.resolve("ca.crt"), root.resolve("a\u001b[2J\nwrong: all\u202e.crt"));
    for (String command : List.of("list", "check")) {
      Run run = Run.of("certs", command, root);
      assertThat(run.out()).doesNotContain("\u001b", "\nwrong: all", "\u202e");
    }
    assertThat(Run.of("certs", "list", root).out()).contains("a\\u001b[2J\\u000awrong: all\\u202e");
    assertThat(change("rotate", "a\u001b[2J", "--yes").err()).doesNotContain("\u001b");
  }

  @Test
  void whatIsRetiredIsGone() {
    Run run = change("retire", "sdk/sdk", "--yes");
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.out()).startsWith("retired:\n  sdk/sdk.crt, CN=sdk,O=agencyA: until ");
    assertThat(root.resolve("sdk")).isEmptyDirectory();
    assertInOrder();
    assertThat(change("retire", "agency/agency", "--yes").exitCode()).isEqualTo(ExitCode.REFUSED);
  }

  @Test
  void theKeyOfAConfigurationServesToo() throws IOException {
    Path config =
        Files.writeString(
            directory.resolve("node.yml"),
            "storage:\n  encryptor: sm4\n  encrypt_key: hex:9f86d081884c7d659a2feaa0c55ad015\n");
    Object[] rotate = {"--config", config, "certs", "rotate", root, "ca", "--yes"};
    assertThat(Run.of(rotate).exitCode()).isZero();
    assertInOrder();
    assertThat(change("rotate", "--undo", "--yes").exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(Run.of("--config", config, "certs", "rotate", root, "--undo", "--yes").exitCode())
        .isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "node0/ssl --undo",
        "node0/ssl --signed x",
        "--undo --days 5",
        "node0/ssl --days 0",
        "node0/ssl --days 36501",
        "node0/ssl sdk/sdk --csr x",
        "node0/ssl --csr x --days 5",
        "node0/none",
        "node0/../ca"
      })
  void wrongUsageIsRefused(String more) {
    Map<String, String> before = contents();
    Run run = change("rotate", (Object[]) (more + " --yes").strip().split(" "));
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.USAGE);
    assertThat(contents()).isEqualTo(before);
  }

  @Test
  void theKeyMustBeThereForItsOwnerOnlyAndElsewhere() throws IOException {
    Run none = Run.of("certs", "rotate", root, "node0/ssl", "--yes");
    assertThat(none.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(none.err()).contains("--key FILE");
    TestCertificates.mode(keyFile, "rw-r--r--");
    assertThat(change("rotate", "node0/ssl", "--yes").exitCode()).isEqualTo(ExitCode.USAGE);
    TestCertificates.mode(keyFile, "rw-------");
    Path right = keyFile;
    keyFile = Files.move(keyFile, root.resolve("node0/backup.key"));
    assertThat(change("rotate", "node0/ssl", "--yes").exitCode()).isEqualTo(ExitCode.REFUSED);
    keyFile = Files.move(keyFile, right);
    assertThat(change("rotate", "node0/ssl", "--yes").exitCode()).isZero();
  }

  @Test
  void anotherProcessThatChangesThemIsWaitedFor() throws Exception {
    assertThat(change("rotate", "node0/ssl", "--yes").exitCode()).isZero();
    Map<String, String> before = contents();
    try (FileChannel lock =
        FileChannel.open(root.resolve("backups/LOCK"), StandardOpenOption.WRITE)) {
      lock.lock();
      Run run = Run.apart(withKey("rotate", "node0/ssl", "--yes"));
      assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.LOCKED);
      assertThat(run.err()).contains("another command changes the certificates");
    }
    assertThat(contents()).isEqualTo(before);
  }

  /** With a little more room each time, it gets a little further. */
  @Test
  void aFullDiskLeavesAllAsItWas() throws Exception {
    try (OwnDisk disk = OwnDisk.inMemory(directory.resolve("disk"), 2)) {
      root = TestCertificates.copyTo(disk.root());
      Map<String, String> before = contents();
      int pages = 0;
      for (; contents().equals(before) && pages < 64; pages++) {
        disk.makeRoom();
        disk.fillUpTo(pages * 4096L);
        Run run = change("rotate", "node0/sm_ssl", "--yes");
        assertThat(run.err()).as(pages + " pages").doesNotContain("half replaced");
        if (run.exitCode() != ExitCode.DONE) {
          assertThat(run.exitCode()).isEqualTo(ExitCode.FAILED);
          assertThat(run.err()).contains("make room", disk.root().toString());
          assertThat(contents()).isEqualTo(before);
        }
        assertThat(root.resolve("backups"))
            .isDirectoryNotContaining(file -> file.toString().endsWith(".part"));
        assertInOrder();
      }
      assertThat(pages).isBetween(4, 63);
    }
  }

  static Stream<String> steps() {
    return Steps.of(
        List.of("2", "5", "8"), List.of("1", "3", "4", "6", "7", "9", "10", "11", "12"));
  }

  /** All steps are passed within one process by the tests of the package below. */
  @ParameterizedTest
  @MethodSource("steps")
  void aProcessThatIsKilledIsMadeGoodByTheNext(String step) throws Exception {
    Map<String, String> before = contents();
    Object[] command = withKey("rotate", "node0/sm_ssl", "--yes");
    Object[] killed = Stream.concat(Stream.of(step), Stream.of(command)).toArray();
    try (Child child = Child.of(Child.java(Child.SHORT_LIVED, KilledAtAStep.class, killed))) {
      assertThat(child.awaitExit()).isEqualTo(137);
    }
    Run again = Run.of(command);
    assertThat(again.exitCode()).as(again.err()).isZero();
    assertInOrder();
    List<String> gone = List.of(before.get("node0/sm_ssl.key"));
    assertThat(TestCertificates.holders(directory, gone)).isEmpty();
    List<String> live = List.of(contents().get("node0/sm_ssl.key"));
    assertThat(TestCertificates.holders(root, live)).containsExactly("node0/sm_ssl.key");
  }
}
