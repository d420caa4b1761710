package io.ledgerkeep.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.crypto.hsm.TestToken;
import io.ledgerkeep.logback.LedgerLogs;
import io.ledgerkeep.logback.LogLevel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** With everything logged, what a ledger keeps secret is in no log and no message. */
final class SecretsInLogsTest {

  private static final String KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  private static final String WRONG_KEY = "91827364554637281900aabbccddeeff";
  private static final String WRONG_PIN = "9753-wrong";
  private static final int BLOCKS = 40;
  private static final List<Block> CHAIN = MarkedChain.blocks(BLOCKS);
  private static final int BEGINNING = 15;
  private static final Pattern CODE = Pattern.compile("\\\\u([0-9a-f]{4})");

  private static final List<Function<byte[], String>> FORMS =
      List.of(
          bytes -> new String(bytes, ISO_8859_1),
          bytes -> new String(bytes, UTF_8),
          bytes -> HexFormat.of().formatHex(bytes),
          bytes -> HexFormat.of().withUpperCase().formatHex(bytes),
          bytes -> Base64.getEncoder().withoutPadding().encodeToString(bytes),
          bytes -> Base64.getUrlEncoder().withoutPadding().encodeToString(bytes),
          bytes -> Arrays.toString(bytes).replaceAll("[\\[\\]]", ""));

  @TempDir private Path directory;
  private final ByteArrayOutputStream console = new ByteArrayOutputStream();
  private final PrintStream standardError = System.err;
  private final StringBuilder said = new StringBuilder();

  @BeforeEach
  void listen() {
    System.setErr(new PrintStream(console, true, UTF_8));
  }

  @AfterEach
  void stopListening() {
    System.setErr(standardError);
  }

  @ParameterizedTest
  @ValueSource(strings = {"aes", "sm4"})
  void theMainJobUnderAKeyTellsNone(String encryptor) throws IOException {
    String key = "encryptor: " + encryptor + "\n  encrypt_key: hex:";
    runTheMainJob(config("right.yml", key + KEY), config("back.yml", key + KEY, "back"));

    Path wrong = config("wrong.yml", key + WRONG_KEY);
    refused(wrong, "status");
    refused(wrong, "verify");
    assertNothingIsTold();
  }

  @Test
  void theMainJobUnderATokenTellsNone() throws IOException {
    TestToken token = TestToken.start().aesKey("one", 32);
    try {
      String key = "encryptor: aes\n  encrypt_key: one";
      runTheMainJob(
          tokenConfig(token, "right.yml", key, TestToken.PIN, "data"),
          tokenConfig(token, "back.yml", key, TestToken.PIN, "back"));
      refused(tokenConfig(token, "wrong.yml", key, WRONG_PIN, "data"), "status");
    } finally {
      token.heal();
    }
    assertNothingIsTold();
  }

  private void runTheMainJob(Path config, Path back) {
    done(config, "init");
    note(Run.reading(Place.lines(CHAIN), "--config", config, "import", "-"), ExitCode.DONE);
    done(config, "archive", "--to", 25, "--yes");
    done(config, "verify");
    done(config, "restore", "--down-to", 5, "--yes");
    done(config, "tde", "rotate");
    done(config, "tde", "reencrypt");
    done(config, "tde", "status");
    done(config, "status", "--json");
    Path copies = directory.resolve("copies");
    done(config, "backup", "--to", copies);
    done(back, "restore-backup", "--from", copies);
    done(back, "verify");
    done(config, "doctor");
    note(run(config, "query", "--height", 1000), ExitCode.FAILED);
    note(run(config, "import", directory.resolve("right.yml")), ExitCode.FAILED);
  }

  private void assertNothingIsTold() throws IOException {
    List<String> logs = logs();
    assertThat(String.join("", logs)).contains("|[ARCHIVING]", "debug|");
    assertThat(console.toString(UTF_8)).contains("|[ARCHIVING]", "debug|");
    List<String> all = new ArrayList<>(logs);
    all.add(console.toString(UTF_8));
    all.add(said.toString());
    for (String text : all) {
      assertThat(found(text)).isEmpty();
    }
  }

  /** Without this the test above would prove nothing. */
  @Test
  void whateverFormASecretIsToldInIsFound() throws IOException {
    Path file = directory.resolve("told.log");
    byte[] payload = CHAIN.get(3).transactions().get(0).payload().toArray();
    byte[] key = HexFormat.of().parseHex(KEY);
    for (byte[] secret : List.of(payload, key, TestToken.PIN.getBytes(UTF_8))) {
      for (Function<byte[], String> form : FORMS) {
        Files.deleteIfExists(file);
        try (LedgerLogs logs = LedgerLogs.builder().level(LogLevel.TRACE).file(file).open()) {
          LoggerFactory.getLogger(getClass()).trace("told: {}.", form.apply(secret));
        }
        assertThat(found(Files.readString(file))).isNotEmpty();
      }
    }
  }

  /** Returns which secrets a text has, by what they are of. */
  private static List<String> found(String text) {
    String plain = CODE.matcher(text).replaceAll(SecretsInLogsTest::character);
    List<String> found = new ArrayList<>();
    for (String key : List.of(KEY, WRONG_KEY)) {
      addIfThere(found, "a key", HexFormat.of().parseHex(key), plain);
    }
    for (String pin : List.of(TestToken.PIN, WRONG_PIN)) {
      addIfThere(found, "a PIN", pin.getBytes(UTF_8), plain);
    }
    for (Block block : CHAIN) {
      String where = "of block " + block.height();
      addIfThere(found, "the header " + where, beginning(block.header()), plain);
      addIfThere(found, "additional bytes " + where, beginning(block.additional()), plain);
      addIfThere(
          found, "the payload " + where, beginning(block.transactions().get(0).payload()), plain);
      addIfThere(
          found,
          "a value " + where,
          beginning(block.rwSets().get(0).writes().get(0).value().orElseThrow()),
          plain);
    }
    return found;
  }

  private static String character(java.util.regex.MatchResult code) {
    return java.util.regex.Matcher.quoteReplacement(
        Character.toString(Integer.parseInt(code.group(1), 16)));
  }

  private static void addIfThere(List<String> found, String what, byte[] secret, String text) {
    for (Function<byte[], String> form : FORMS) {
      if (text.contains(form.apply(secret))) {
        found.add(what);
      }
    }
  }

  /** As long as its base64 is that of all bytes, as far as it goes. */
  private static byte[] beginning(Bytes bytes) {
    return bytes.slice(0, BEGINNING).toArray();
  }

  private List<String> logs() throws IOException {
    List<String> logs = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory.resolve("log"))) {
      for (Path file : files.toList()) {
        logs.add(Files.readString(file));
      }
    }
    return logs;
  }

  private static Run run(Path config, Object... args) {
    return Run.of(
        Stream.concat(Stream.of("--config", config, "--log-level", "trace"), Stream.of(args))
            .toArray());
  }

  private void done(Path config, Object... args) {
    note(run(config, args), ExitCode.DONE);
  }

  private void refused(Path config, Object... args) {
    note(run(config, args), ExitCode.REFUSED);
  }

  private void note(Run run, int exitCode) {
    said.append(run.out()).append(run.err());
    assertThat(run.exitCode()).as(run.err()).isEqualTo(exitCode);
  }

  private Path config(String name, String key) {
    return config(name, key, "data");
  }

  private Path config(String name, String key, String data) {
    return new Place(directory).write(name, yaml(key, data));
  }

  private Path tokenConfig(TestToken token, String name, String key, String pin, String data) {
    return new Place(directory)
        .write(
            name,
            """
            node:
              pkcs11: {enabled: true, library: %s, label: %s, password: %s}
            """
                    .formatted(token.library(), TestToken.LABEL, pin)
                + yaml(key, data));
  }

  private String yaml(String key, String data) {
    return """
    storage:
      %s
      reserve_bytes: 0
      unarchive_block_height: 10
      store_path: %s
      archive_path: %s
    log: {level: trace, log_in_console: true, file_path: %s}
    """
        .formatted(
            key,
            directory.resolve(data),
            directory.resolve("archive"),
            directory.resolve("log/ledger.log"));
  }
}
