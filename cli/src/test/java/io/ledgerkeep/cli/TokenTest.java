package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.crypto.hsm.TestToken;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ledger whose master key is in a token, by way of the configuration file. */
final class TokenTest {

  private static final String SOFT =
      "encryptor: aes\n  encrypt_key: hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final int BLOCKS = 30;
  private static final String CHAIN = Place.chain(BLOCKS);

  @TempDir private Path directory;
  private TestToken token;

  @BeforeEach
  void start() {
    token = TestToken.start().profile("koal").aesKey("one", 32).aesKey("two", 16).sm4Key("sm4");
  }

  @AfterEach
  void heal() {
    token.heal();
  }

  private static String key(String encryptor, String name) {
    return "encryptor: " + encryptor + "\n  encrypt_key: " + name;
  }

  /** What is to be written below the section {@code storage} for a key in the token. */
  private String inToken(String storage, String... more) {
    List<String> lines =
        new ArrayList<>(
            List.of(
                storage,
                "reserve_bytes: 0",
                "unarchive_block_height: 10",
                "store_path: " + directory.resolve("data"),
                "archive_path: " + directory.resolve("archive")));
    String section =
        """
        node:
          pkcs11:
            enabled: true
            library: %s
            label: %s
            %s
        """
            .formatted(token.library(), TestToken.LABEL, String.join("\n    ", more));
    return section + "storage:\n  " + String.join("\n  ", lines) + "\n";
  }

  private Path config(String name, String content) {
    return new Place(directory).write(name, content);
  }

  private Path tokenConfig(String storage, String... more) {
    List<String> lines = new ArrayList<>(List.of("password: " + TestToken.PIN));
    lines.addAll(List.of(more));
    return config("token.yml", inToken(storage, lines.toArray(String[]::new)));
  }

  private Path softConfig() {
    return config(
        "soft.yml",
        "storage:\n  "
            + String.join(
                "\n  ",
                SOFT,
                "reserve_bytes: 0",
                "unarchive_block_height: 10",
                "store_path: " + directory.resolve("data"),
                "archive_path: " + directory.resolve("archive"))
            + "\n");
  }

  private static Run done(Run run) {
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.DONE);
    return run;
  }

  private static Run on(Path config, Object... args) {
    Object[] all = new Object[args.length + 2];
    all[0] = "--config";
    all[1] = config;
    System.arraycopy(args, 0, all, 2, args.length);
    return Run.of(all);
  }

  private static void fill(Path config) {
    done(on(config, "init"));
    done(Run.reading(CHAIN, "--config", config, "import", "-"));
  }

  private static void assertWhole(Path config) {
    done(on(config, "verify"));
    assertThat(done(on(config, "export", "-")).out()).isEqualTo(CHAIN);
  }

  @ParameterizedTest
  @CsvSource({
    "aes, one, envelope",
    "aes, two, direct",
    "sm4, sm4, envelope",
    "sm4, sm4, direct",
  })
  void theMainJobRunsWithTheKeyInAToken(String encryptor, String name, String mode) {
    String profile = encryptor.equals("sm4") ? "profile: koal" : "route: native";
    Path config = tokenConfig(key(encryptor, name), "mode: " + mode, profile);
    fill(config);
    done(on(config, "archive", "--to", 15, "--yes"));
    assertWhole(config);
    done(on(config, "restore", "--down-to", 1, "--yes"));
    assertWhole(config);
    assertThat(done(on(config, "status")).out())
        .contains(encryptor.equals("aes") ? "AES" : "SM4")
        .containsPattern("master key .*key '" + name + "' \\(mode " + mode + ", route native\\)");
  }

  @Test
  void thePinMayLieInAFile() throws Exception {
    Path pin = new Place(directory).write("pin", TestToken.PIN);
    Files.setPosixFilePermissions(pin, PosixFilePermissions.fromString("rw-------"));
    Path config = config("file.yml", inToken(key("aes", "one"), "password_file: " + pin));
    fill(config);
    assertWhole(config);
  }

  @Test
  void theMasterKeyMovesIntoTheTokenBetweenItsKeysAndBack() {
    Path soft = softConfig();
    fill(soft);
    done(on(soft, "archive", "--to", 15, "--yes"));

    Path one = config("one.yml", inToken(key("aes", "one"), "password: " + TestToken.PIN));
    done(on(soft, "tde", "rewrap", "--new-config", one));
    assertWhole(one);
    assertThat(on(soft, "status").exitCode()).isEqualTo(ExitCode.REFUSED);

    Path two = config("two.yml", inToken(key("aes", "two"), "password: " + TestToken.PIN));
    done(on(one, "tde", "rewrap", "--new-config", two));
    assertWhole(two);
    assertThat(on(one, "status").exitCode()).isEqualTo(ExitCode.REFUSED);
    done(Run.of("--config", two, "--archive", directory.resolve("archive"), "verify"));

    done(on(two, "tde", "rewrap", "--new-config", soft));
    assertWhole(soft);
    assertThat(on(two, "status").exitCode()).isEqualTo(ExitCode.REFUSED);
  }

  /** The archive is read without the node, and its keys are wrapped for another token. */
  @Test
  void anotherTokenHoldsTheArchiveToo() {
    token.token("auditors", "pin=8642-audit");
    token.tell("key", "auditors", "label=reader", "type=aes", "bytes=32");
    Path soft = softConfig();
    fill(soft);
    done(on(soft, "archive", "--to", 15, "--yes"));
    Path auditor =
        config(
            "auditor.yml",
            inToken(key("aes", "reader"), "password: 8642-audit")
                .replace("label: " + TestToken.LABEL, "label: auditors")
                .replaceAll("(?m)^ *store_path:.*\n", ""));
    assertThat(on(auditor, "verify").exitCode()).isEqualTo(ExitCode.REFUSED);

    done(on(soft, "tde", "add-holder", "auditor", "--new-config", auditor));
    done(on(auditor, "verify"));
    assertThat(done(on(auditor, "query", "--height", 7)).out()).contains("\"height\":7");

    done(on(soft, "tde", "drop-holder", "auditor"));
    assertThat(on(auditor, "verify").exitCode()).isEqualTo(ExitCode.REFUSED);
  }

  @Test
  void outOfTheDirectModeDataAreSealedAnewFirst() {
    Path direct =
        config(
            "direct.yml", inToken(key("aes", "one"), "password: " + TestToken.PIN, "mode: direct"));
    fill(direct);
    done(on(direct, "archive", "--to", 15, "--yes"));
    Path soft = softConfig();
    Run refused = on(direct, "tde", "rewrap", "--new-config", soft);
    assertThat(refused.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(refused.err()).contains("reencrypt");

    done(on(direct, "tde", "rotate", "--suite", "AES-256-GCM"));
    done(on(direct, "tde", "reencrypt"));
    done(on(direct, "tde", "disable", 1));
    done(on(direct, "tde", "rewrap", "--new-config", soft));
    token.gone(true);
    assertWhole(soft);
  }

  @Test
  void aTokenIsLookedAt() {
    Path config = tokenConfig(key("aes", "one"), "mode: envelope");
    Run probe = done(on(config, "hsm", "probe"));
    assertThat(probe.out())
        .contains(TestToken.LABEL, "one", "key bytes", "identity", "envelope", "passed")
        .doesNotContain(TestToken.PIN);
    assertThat(done(on(config, "--json", "hsm", "probe")).json())
        .containsEntry("token", TestToken.LABEL)
        .containsEntry("passed", true);

    Run none = on(softConfig(), "hsm", "probe");
    assertThat(none.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(none.err()).contains("node.pkcs11");
  }

  @Test
  void monitorTellsWhetherTheTokenAnswers() {
    Path config = tokenConfig(key("aes", "one"), "mode: envelope");
    fill(config);
    Object[] monitor = {"monitor", "--min-free", "1", "--probe-token"};
    assertThat(on(config, monitor).out())
        .contains("OK hsm: token 'ledger-test', key 'one' does what a master key has to");
    token.gone(true);
    Run gone = on(config, monitor);
    assertThat(gone.out()).contains("FAIL hsm: ").doesNotContain(TestToken.PIN);
    assertThat(gone.exitCode()).isEqualTo(ExitCode.FAILED);
    token.gone(false);
    assertThat(on(softConfig(), monitor).exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void aWrongPinIsToldAndNotShown() {
    Path config = config("wrong.yml", inToken(key("aes", "one"), "password: 999-wrong"));
    for (Run run : List.of(on(config, "hsm", "probe"), on(config, "init"))) {
      assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
      assertThat(run.err()).contains("PIN").doesNotContain("999-wrong");
    }
    assertThat(directory.resolve("data/LAYOUT")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"three", "hex:0102"})
  void aKeyThatIsNotThereIsRefusedByName(String name) {
    Run run = on(tokenConfig(key("aes", name), "mode: envelope"), "init");
    assertThat(run.exitCode()).isEqualTo(ExitCode.REFUSED);
    assertThat(run.err()).contains(name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"library", "label", "password"})
  void whatIsMissingIsNamedAndNothingIsEncryptedInSoftware(String missing) {
    String all = inToken(key("aes", "one"), "password: " + TestToken.PIN);
    Path config = config("less.yml", all.replaceAll("(?m)^ *" + missing + ":.*\n", ""));
    Run run = on(config, "init");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains(missing);
    assertThat(directory.resolve("data/LAYOUT")).doesNotExist();
  }
}
