package io.ledgerkeep.badger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Options;
import io.ledgerkeep.badger.BadgerConfig.Bundled;
import io.ledgerkeep.badger.BadgerConfig.Tcp;
import io.ledgerkeep.badger.BadgerConfig.Tls;
import io.ledgerkeep.badger.BadgerConfig.Unix;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BadgerConfigTest {

  @Test
  void whatIsNotGivenHasItsDefault() {
    assertThat(BadgerConfig.of(Options.none()))
        .isEqualTo(
            new BadgerConfig(
                new Bundled(Optional.empty(), Optional.empty(), List.of()),
                Optional.empty(),
                Duration.ofSeconds(120),
                Duration.ofSeconds(30)));
  }

  @Test
  void everyOptionOfTheBundledSidecarIsTaken() {
    Options options =
        Options.of(
            Map.of(
                "sidecar", "bundled",
                "sidecar-binary", "/bin/sh",
                "sidecar-directory", "/srv/run",
                "memtable-bytes", "16777216",
                "block-cache-bytes", "0",
                "min-free-bytes", "5",
                "deadline-seconds", "7",
                "reconnect-seconds", "0"));

    assertThat(BadgerConfig.of(options))
        .isEqualTo(
            new BadgerConfig(
                new Bundled(
                    Optional.of(Path.of("/bin/sh")),
                    Optional.of(Path.of("/srv/run")),
                    List.of(
                        "--block-cache-bytes=0",
                        "--memtable-bytes=16777216",
                        "--min-free-bytes=5")),
                Optional.empty(),
                Duration.ofSeconds(7),
                Duration.ZERO));
  }

  @Test
  void aSidecarThatRunsAlreadyIsNamedByItsSocketOrItsPort() {
    Options tls =
        Options.of(
            Map.of(
                "sidecar", "db.example:7000",
                "database", "ledger1",
                "tls-certificate", "/c",
                "tls-key", "/k",
                "tls-ca", "/a"));

    assertThat(BadgerConfig.of(Options.of("sidecar", "unix:/run/b.sock")).where())
        .isEqualTo(new Unix(Path.of("/run/b.sock")));
    assertThat(BadgerConfig.of(tls).where())
        .isEqualTo(
            new Tcp(
                "db.example",
                7000,
                Optional.of(new Tls(Path.of("/c"), Path.of("/k"), Path.of("/a")))));
    assertThat(BadgerConfig.of(tls).database()).contains("ledger1");
  }

  @Test
  void withoutTlsAPortIsUsedOnThisMachineOnlyAndOnlyIfThatIsSaid() {
    Options plain = Options.of("sidecar", "127.0.0.1:7000", "plaintext", "loopback");

    assertThat(BadgerConfig.of(plain).where())
        .isEqualTo(new Tcp("127.0.0.1", 7000, Optional.empty()));
    assertRefused(Options.of("sidecar", "127.0.0.1:7000"), "tls-certificate");
    assertRefused(plain.with("plaintext", "yes"), "plaintext");
    assertRefused(plain.with("sidecar", "192.0.2.1:7000"), "plaintext");
    assertRefused(plain.with("tls-ca", "/a"), "tls-ca");
  }

  @ParameterizedTest
  @CsvSource({
    "sidecar, somewhere",
    "sidecar, host:0",
    "sidecar, host:70000",
    "sidecar, :7000",
    "memtable-bytes, 1000",
    "block-cache-bytes, -1",
    "min-free-bytes, much",
    "deadline-seconds, 0",
    "reconnect-seconds, -1",
    "database, ledger1",
    "plaintext, loopback",
    "tls-key, /k",
    "sidecar_binary, /x",
    "sidecar-binary, /nowhere/sidecar"
  })
  void whatIsUnknownOrOutOfRangeOrWithoutEffectIsRefusedByName(String name, String value) {
    assertRefused(Options.of(name, value), name);
  }

  @ParameterizedTest
  @CsvSource({"sidecar-binary, /x", "memtable-bytes, 16777216", "tls-ca, /a"})
  void whatIsNoConcernOfASidecarThatRunsAlreadyIsRefused(String name, String value) {
    assertRefused(Options.of("sidecar", "unix:/s", name, value), name);
  }

  private static void assertRefused(Options options, String name) {
    assertThatThrownBy(() -> BadgerConfig.of(options))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("'" + name + "'");
  }

  @Test
  void theProviderIsFoundByItsName() {
    assertThat(ServiceLoader.load(StorageEngineProvider.class))
        .anyMatch(provider -> provider.name().equals("badgerdb"));
  }
}
