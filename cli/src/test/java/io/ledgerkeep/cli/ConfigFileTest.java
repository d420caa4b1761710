package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
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
                "read_through", "true"));
    assertThat(config.leveldb().asMap()).isEqualTo(Map.of("write_buffer_size", "8"));
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
    "disable_block_file_db, unarchive_block_height"
  })
  void anUnknownKeyIsRefusedNamingItsLineAndTheNearestKnown(String key, String nearest) {
    assertThatThrownBy(() -> read("x: 1\nstorage:\n  provider: leveldb\n  " + key + ": 5\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("line 4", "'" + key + "'", "'" + nearest + "'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"encryptor: sm4", "encrypt_key: abc", "rebuild_block_height: 10"})
  void whatThisReleaseCannotDoIsRefusedInsteadOfIgnored(String entry) {
    assertThatThrownBy(() -> read("storage:\n  " + entry + "\n"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("line 2", "not supported by this release")
        .hasMessageNotContaining("abc");
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
  void aMissingFileIsWrongConfiguration() {
    Run run = Run.of("status", "--config", directory.resolve("absent.yml"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("absent.yml");
  }

  private ConfigFile read(String yaml) throws IOException {
    return ConfigFile.read(Files.writeString(directory.resolve("chainmaker.yml"), yaml));
  }
}
