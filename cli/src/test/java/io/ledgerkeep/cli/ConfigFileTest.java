package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ConfigFileTest {

  @TempDir private Path directory;

  @Test
  void theStorageSectionIsReadAndOthersArePassedOver() throws IOException {
    ConfigFile config =
        read(
            """
            net:
              provider: LibP2P
              listen: [a, b]
            storage:
              store_path: ../data/org1/ledgerData1   # where it lies
              unarchive_block_height: 300000
              provider: leveldb
              archive_path: /mnt/archive
              read_through: true
              encryptor:
              encrypt_key: ""
              rebuild_block_height: 0
              leveldb:
                write_buffer_size: 8
            node:
              pkcs11: {enabled: false}
            """);
    assertThat(config.storage().asMap())
        .isEqualTo(
            Map.of(
                "store_path", "../data/org1/ledgerData1",
                "unarchive_block_height", "300000",
                "provider", "leveldb",
                "archive_path", "/mnt/archive",
                "read_through", "true",
                "rebuild_block_height", "0"));
    assertThat(config.engine("leveldb").asMap()).isEqualTo(Map.of("write_buffer_size", "8"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "# nothing\n", "net: {}\n", "storage:\n", "storage: {}\n"})
  void aFileWithoutStorageSettingsSetsNothing(String yaml) throws IOException {
    assertThat(read(yaml).storage().asMap()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "unarchive_block_heigth, unarchive_block_height",
    "Provider, provider",
    "storepath, store_path",
    "archive, archive_path",
    "chainid, chain_id",
    "rebuild_height, rebuild_block_height"
  })
  void anUnknownKeyIsRefusedNamingItsLineAndTheNearestKnown(String key, String nearest) {
    assertThatThrownBy(() -> read("x: 1\nstorage:\n  provider: leveldb\n  " + key + ": 5\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("line 4", "'" + key + "'", "'" + nearest + "'");
  }

  /** As the manual shows it. */
  @Test
  void theSectionOfATokenIsRead() throws IOException {
    ConfigFile config =
        read(
            """
            node:
              org_id: wx-org1
              pkcs11:
                enabled: true
                library: /usr/local/lib64/pkcs11/libupkcs11.so # path to the so file
                label: HSM
                password: 11111111
                session_cache_size: 10
                hash: "SHA256"
            storage:
              encryptor: sm4
              encrypt_key: "MasterKey1"
            """);
    Map<String, String> section =
        Map.of(
            "library", "/usr/local/lib64/pkcs11/libupkcs11.so",
            "label", "HSM",
            "password", "11111111",
            "session_cache_size", "10",
            "hash", "SHA256");
    assertThat(config.pkcs11().orElseThrow().asMap()).isEqualTo(section);

    MasterKey key = MasterKey.of(config).orElseThrow();
    assertThat(key.encryptor()).isEqualTo("pkcs11");
    Map<String, String> options = new TreeMap<>(section);
    options.put("encryptor", "sm4");
    options.put("key", "MasterKey1");
    assertThat(key.options().asMap()).isEqualTo(options);
  }

  @Test
  void aTokenThatIsNotEnabledIsNobodysKey() throws IOException {
    for (String section :
        new String[] {
          "5",
          "[pkcs11]",
          "{pkcs11: }",
          "{pkcs11: {enabled: false}}",
          "{pkcs11: {library: /a, label: b}}"
        }) {
      assertThat(read("node: " + section + "\n").pkcs11()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"yes", "1", "on"})
  void whetherATokenIsEnabledIsNotGuessed(String enabled) {
    assertThatThrownBy(() -> read("node:\n  pkcs11:\n    enabled: " + enabled + "\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("line 3", "node.pkcs11", "enabled");
  }

  @Test
  void anUnknownKeyOfATokenIsRefused() {
    assertThatThrownBy(() -> read("node:\n  pkcs11:\n    enabled: true\n    pin: 1234\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("line 4", "'pin'", "node.pkcs11", "nearest")
        .hasMessageNotContaining("1234");
    assertThatThrownBy(() -> read("node: {pkcs11: 5}\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("line 1");
  }

  /** Whoever relies on a device must not get a key of software, or none, instead. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "storage: {encryptor: aes}\n",
        "storage: {encrypt_key: K}\n",
        "storage: {encryptor: aes, encrypt_key: K, allow_sample_key: true}\n",
        "storage: {encryptor: aes, encrypt_key: K, empty_key_file: true}\n"
      })
  void anEnabledTokenAndSettingsThatDoNotFitItAreRefused(String storage) throws IOException {
    ConfigFile config = read("node: {pkcs11: {enabled: true}}\n" + storage);
    assertThatThrownBy(() -> MasterKey.of(config))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("node.pkcs11 is enabled");
  }

  @Test
  void aTokenOfWhichIsNotSaidWhetherItHasTheKeyIsRefused() throws IOException {
    String key = "storage: {encryptor: aes, encrypt_key: LedgerMasterKey1}\n";
    ConfigFile config = read("node: {pkcs11: {library: /a, label: b}}\n" + key);
    assertThatThrownBy(() -> MasterKey.of(config))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("node.pkcs11", "enabled");
    ConfigFile disabled = read("node: {pkcs11: {enabled: false, label: b}}\n" + key);
    assertThat(MasterKey.of(disabled).orElseThrow().encryptor()).isEqualTo("aes");
  }

  @Test
  void aKeyMayHaveBlanksAndSignsOfYaml() throws IOException {
    assertThat(
            read("storage:\n  encrypt_key: \" 0H#y EGXPOAScAn \"\n").storage().text("encrypt_key"))
        .contains(" 0H#y EGXPOAScAn ");
    assertThat(read("storage:\n  encrypt_key: 0x48656c6c6f\n").storage().text("encrypt_key"))
        .contains("0x48656c6c6f");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "storage: 5\n",
        "storage: [a]\n",
        "just text\n",
        "storage:\n  provider: [a]\n",
        "storage:\n  provider: a\n  provider: b\n",
        "storage:\n  leveldb: 5\n",
        "storage:\n  leveldb:\n    x: {y: 1}\n",
        "storage: {provider: a}\nstorage: {provider: b}\n"
      })
  void whatIsNotKeysAndValuesIsRefusedNamingTheLine(String yaml) {
    assertThatThrownBy(() -> read(yaml))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("line");
  }

  @Test
  void aMistakeInTheYamlIsToldWithoutQuotingTheFile() {
    assertThatThrownBy(() -> read("storage:\n  encrypt_key: \"secret\n  provider: x\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("line")
        .hasMessageNotContaining("secret");
  }

  @Test
  void whatOtherSectionsHoldIsPassedOverHoweverOddOrLarge() throws IOException {
    String many = "  name: a value that says nothing to us\n".repeat(110_000);
    for (String other :
        new String[] {
          "? [a, b]\n: c\n",
          "net:\n  ? {a: b}\n  : c\n",
          "x: &x [a]\ny: [" + "*x, ".repeat(1000) + "]\n",
          "net:\n" + many,
          "net: " + nested(100) + "\n"
        }) {
      assertThat(read(other + "storage:\n  provider: leveldb\n").storage().asMap())
          .as(other.substring(0, 10))
          .isEqualTo(Map.of("provider", "leveldb"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"{a: ", "storage: [", "[", "- ", "? "})
  void whatIsNestedWithoutEndIsRefusedBeforeTheStackOverflows(String level) throws IOException {
    Path file = Files.writeString(directory.resolve("deep.yml"), deep(level));
    Run run = Run.of("status", "--config", file);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("deep.yml, line 1: nested more than");
  }

  private static String deep(String level) {
    return level.startsWith("storage")
        ? level + "[".repeat(100_000)
        : level.repeat(5000) + (level.startsWith("{") ? "1" + "}".repeat(5000) : "");
  }

  private static String nested(int levels) {
    return "[".repeat(levels) + "]".repeat(levels);
  }

  @Test
  void aSecondDocumentIsRefusedAndNotSilentlyIgnored() {
    assertThatThrownBy(() -> read("storage:\n  provider: a\n---\nstorage:\n  provider: b\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("line 4", "another YAML document");
  }

  @Test
  void whatCannotBeReadIsNotCalledBadYaml() throws IOException {
    assertThatThrownBy(() -> ConfigFile.read(directory))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll(directory.toString(), "directory")
        .hasMessageNotContaining("YAML");
    Path latin1 =
        Files.write(directory.resolve("latin1.yml"), new byte[] {'a', ':', ' ', (byte) 0xe4, '\n'});
    assertThatThrownBy(() -> ConfigFile.read(latin1))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("latin1.yml", "UTF-8");
    assertThatThrownBy(() -> read("a: \u0007\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("position 3", "not allowed");
    assertThatThrownBy(() -> read("%YAML 3.0\n---\na: b\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("YAML 3");
    Path large = directory.resolve("large.yml");
    try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
      file.setLength((16 << 20) + 1);
    }
    assertThatThrownBy(() -> ConfigFile.read(large))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("large.yml", "more than 16777216 bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"store_path", "archive_path"})
  void aPathThatCannotBeOneIsRefusedNamingItsKey(String key) throws IOException {
    Path file = directory.resolve("nul.yml");
    Files.writeString(file, "storage:\n  " + key + ": \"./se\\0p\"\n");
    Run run = Run.of("status", "--config", file);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).startsWith(key + " is no path");
  }

  @Test
  void aMissingFileIsWrongConfiguration() {
    Run run = Run.of("status", "--config", directory.resolve("absent.yml"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("absent.yml");
  }

  private ConfigFile read(String yaml) throws IOException {
    return ConfigFile.read(Files.writeString(directory.resolve("chainmaker.yml"), yaml));
  }
}
