package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigCommandTest {

  private static final Path PAGE = Path.of("..", "docs", "configuration.md");

  @TempDir private Path directory;

  @Test
  void everythingWrongIsToldAtOnceWithItsLine() throws IOException {
    Run run =
        check(
            """
            storage:
              provder: leveldb
              unarchive_block_height: many
              disable_historydb: true
              statedb_config:
                provider: leveldb
                tikvdb_config: {}
            node:
              pkcs11:
                enabled: false
                pin: 11111111
            """);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.out().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("line 2", "'provder'", "'provider'"),
            line -> assertThat(line).contains("line 3", "unarchive_block_height"),
            line ->
                assertThat(line)
                    .contains("line 4", "'disable_historydb'", "only 'false' is accepted"),
            line ->
                assertThat(line).contains("line 7", "'tikvdb_config' of statedb_config is refused"),
            line ->
                assertThat(line).contains("line 11", "'pin'", "nearest").doesNotContain("1111"));
  }

  @Test
  void whatEnginesRefuseIsToldAndNothingIsOpened() throws IOException {
    Run run =
        check(
            """
            storage:
              store_path: ./none
              provider: rocksdb
              reserve_bytes: [1]
              unarchive_block_height: 99999999999999999999
              leveldb:
                cache-bytes: much
              badgerdb: {value-threshold: 5}
              statedb_config:
                provider: badgerd
              encryptor: rot13
              encrypt_key: secret
            """);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.out().lines())
        .satisfiesExactlyInAnyOrder(
            line -> assertThat(line).contains("line 3", "no engine 'rocksdb'", "badgerdb, leveldb"),
            line -> assertThat(line).contains("line 4", "expected a single value"),
            line -> assertThat(line).contains("line 5", "unarchive_block_height"),
            line -> assertThat(line).contains("line 7: leveldb: ", "cache-bytes"),
            line -> assertThat(line).contains("line 8: badgerdb: ", "value-threshold"),
            line -> assertThat(line).contains("line 10", "no engine 'badgerd'"),
            line -> assertThat(line).contains("no encryptor 'rot13'; there are aes"));
    assertThat(directory.resolve("none")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "storage:\n  encryptor: aes\n  encrypt_key: *hunter2\n",
        "storage: {encryptor: aes, encrypt_key:hunter2}",
        "node:\n  pkcs11:\n    password: !hunter2!\n",
        "node:\n  pkcs11:\n    password: !e!hunter2\n",
        "node:\n  pkcs11:\n    password: \"\\uhunter2\"\n",
        "node:\n  pkcs11:\n    password: {hunter2\n",
        "node:\n  pkcs11:\n    password: %hunter2\n"
      })
  void aSecretWithoutItsQuotesIsNotQuotedInAnError(String yaml) throws IOException {
    Run run = check(yaml);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.out() + run.err()).contains("line ").doesNotContain("hunt");
  }

  @Test
  void whereAPinLiesIsNoSecret() throws IOException {
    for (String place : List.of("env:TOKEN_PIN", "file:/run/pin")) {
      Path file = file("node: {pkcs11: {enabled: false, password: \"" + place + "\"}}\n");
      assertThat(Run.of("--config", file, "config", "print").out()).contains("password: " + place);
    }
    Path raw = file("node: {pkcs11: {enabled: false, password: \"raw:8765\"}}\n");
    assertThat(Run.of("--config", raw, "config", "print").out()).doesNotContain("8765");
  }

  @Test
  void halfAKeyIsToldToo() throws IOException {
    assertThat(check("storage:\n  encryptor: aes\n").out())
        .contains("encryptor and encrypt_key belong together");
  }

  /** As ChainMaker writes it, as far as it asks for what a ledger does. */
  @Test
  void aFileOfChainMakerIsAcceptedAsItIs() throws IOException {
    Run run =
        check(
            """
            log:
              config_file: ../config/log.yml
            blockchain:
              - chainId: chain1
                genesis: ../config/chainconfig/bc1.yml
            node:
              type: full
              org_id: wx-org1.chainmaker.org
              pkcs11:
                enabled: false
                type: pkcs11
                library: /usr/local/lib64/pkcs11/libupkcs11.so
                label: HSM
                password: 11111111
                session_cache_size: 10
                hash: "SHA256"
            net: {provider: LibP2P, seeds: [a, b]}
            storage:
              store_path: ../data/wx-org1/ledgerData1
              unarchive_block_height: 300000
              disable_block_file_db: true
              enable_bigfilter: false
              write_block_type: 0
              disable_state_cache: true
              enable_rwc: false
              encryptor:
              encrypt_key:
              blockdb_config:
                provider: leveldb
              statedb_config:
                provider: leveldb
              historydb_config:
                provider: leveldb
                disable_key_history: false
                disable_contract_history: true
                disable_account_history: true
              disable_contract_eventdb: true
            vm: {go: {enable: false}}
            """);
    assertThat(run.out()).contains("nothing is wrong with it");
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
  }

  @ParameterizedTest
  @CsvSource({
    "disable_block_file_db, false, block database",
    "is_async, true, durable",
    "read_bfdb_timeout, 1000, block database",
    "logdb_segment_size, 128, no log"
  })
  void whatALedgerDoesNotDoIsRefusedWithTheReason(String key, String value, String reason)
      throws IOException {
    Run run = check("storage:\n  " + key + ": " + value + "\n");
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.out()).contains("line 2", "'" + key + "'", "is refused", reason);
  }

  @Test
  void whatHoldsIsPrintedAndSecretsAreMasked() throws IOException {
    Path file =
        file(
            """
            storage:
              store_path: ./ledger
              encryptor: sm4
              encrypt_key: "0x48656c6c6f20436861696e4d616b6572"
              statedb_config: {provider: badgerdb}
              badgerdb: {value-threshold: 1024}
            node:
              pkcs11: {enabled: false, password: 87654321}
            """);
    Run run = Run.of("--config", file, "config", "print");
    assertThat(run.exitCode()).isEqualTo(ExitCode.DONE);
    assertThat(run.out())
        .contains(
            "  store_path: ./ledger",
            "  # unarchive_block_height: 300000",
            "  encrypt_key: ***",
            "  statedb_config:",
            "    provider: badgerdb",
            "    value-threshold: 1024",
            "    password: ***")
        .doesNotContain("48656c6c", "87654321");
    assertThat(Run.of("--config", file, "config", "print", "--json").out())
        .contains("\"encrypt_key\":\"***\"")
        .doesNotContain("48656c6c", "87654321");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/run/keys/ledger.key", "file:/run/keys/ledger.key", "env:LEDGER_KEY"})
  void whereAKeyLiesIsNoSecret(String place) throws IOException {
    Path file = file("storage: {encryptor: sm4, encrypt_key: \"" + place + "\"}\n");
    assertThat(Run.of("--config", file, "config", "print").out()).contains("encrypt_key: " + place);
  }

  @Test
  void aPinIsASecretHoweverItBegins() throws IOException {
    Path file = file("node: {pkcs11: {enabled: false, password: /8765}}\n");
    assertThat(Run.of("--config", file, "config", "print").out())
        .contains("password: ***")
        .doesNotContain("8765");
  }

  @Test
  void theLogIsCheckedAndPrinted() throws IOException {
    Run run =
        check(
            """
            log:
              level: loud
              file_pth: a.log
              rotation_time: 6
              max_age: 0
              total_size: many
              config_file: ../config/log.yml
            """);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.out().lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("line 2", "level", "fatal", "'loud'"),
            line -> assertThat(line).contains("line 3", "'file_pth'", "'file_path'"),
            line -> assertThat(line).contains("line 4", "'rotation_time' of log is refused"),
            line -> assertThat(line).contains("line 6", "total_size"),
            line -> assertThat(line).contains("max_age"));
    assertThat(check("log: {rotation_size: 100, total_size: 99}").out())
        .contains("total_size must be at least rotation_size");
    Path file = file("log: {level: debug}");
    assertThat(Run.of("--config", file, "config", "print").out())
        .contains("log:\n  level: debug\n  # rotation_size: 100\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"check", "print"})
  void theFileHasToBeNamed(String command) {
    Run run = Run.of("config", command);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("--config FILE is missing");
  }

  /** With {@code -Dconfig.update=true} the page is written anew. */
  @Test
  void thePageOfAllKeysIsThatOfTheCode() throws IOException {
    if (Boolean.getBoolean("config.update")) {
      Files.writeString(PAGE, ConfigKeys.page());
    }
    assertThat(PAGE).content().isEqualTo(ConfigKeys.page());
  }

  private Run check(String yaml) throws IOException {
    return Run.of("--config", file(yaml), "config", "check");
  }

  private Path file(String yaml) throws IOException {
    return Files.writeString(directory.resolve("node.yml"), yaml);
  }
}
