package io.ledgerkeep.leveldb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LevelDbConfigTest {

  private static final long MIB = 1 << 20;

  @Test
  void whatIsNotGivenHasItsDefault() {
    assertThat(LevelDbConfig.of(Options.none()))
        .isEqualTo(
            new LevelDbConfig(16 * MIB, 32 * MIB, 4096, 1000, false, 32 * MIB, Optional.empty()));
  }

  @Test
  void everyOptionIsTaken() {
    Options options =
        Options.of(
            Map.of(
                "write-buffer-bytes", "1000000",
                "cache-bytes", "0",
                "block-bytes", "16384",
                "max-open-files", "200",
                "compression", "snappy",
                "low-space-bytes", "5",
                "native-directory", "/srv/native"));

    assertThat(LevelDbConfig.of(options))
        .isEqualTo(
            new LevelDbConfig(
                1_000_000, 0, 16_384, 200, true, 5, Optional.of(Path.of("/srv/native"))));
  }

  @ParameterizedTest
  @CsvSource({
    "write-buffer-bytes, 65535",
    "write-buffer-bytes, 16M",
    "cache-bytes, -1",
    "block-bytes, 1000",
    "max-open-files, 10",
    "compression, zstd",
    "low-space-bytes, -1",
    "write_buffer_bytes, 1000000"
  })
  void whatIsUnknownOrOutOfRangeIsRefusedByName(String name, String value) {
    assertThatThrownBy(() -> LevelDbConfig.of(Options.of(name, value)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(name);
  }

  @Test
  void theProviderIsFoundByItsName() {
    assertThat(ServiceLoader.load(StorageEngineProvider.class))
        .anyMatch(provider -> provider.name().equals("leveldb"));
  }
}
