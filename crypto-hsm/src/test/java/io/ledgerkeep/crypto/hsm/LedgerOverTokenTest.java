package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ledgers whose master key is in a token. */
@Timeout(300)
final class LedgerOverTokenTest {

  @TempDir Path directory;

  private final AtomicLong nanos = new AtomicLong();
  private final MemoryDisk disk = new MemoryDisk();
  private final InMemoryArchiveStore store = new InMemoryArchiveStore();
  private final List<Block> blocks = SampleChain.ofSeed(11).blocks(40).toList();
  private TestToken token;

  @BeforeEach
  void start() {
    token = TestToken.start().profile("koal");
    token.aesKey("one", 32).aesKey("two", 32).sm4Key("sm4");
  }

  @AfterEach
  void heal() {
    token.heal();
  }

  private Options aes(String key, String mode) {
    return Settings.aes(token, key).with("mode", mode);
  }

  private Options sm4(String mode) {
    return Settings.sm4(token, "sm4", "koal").with("mode", mode);
  }

  private Ledger open(Options options) {
    Pkcs11Keys keys = new Pkcs11Keys(Optional.empty(), name -> null, nanos::get);
    return Ledgerkeep.builder()
        .directory(directory.resolve("ledger"))
        .chainId("chain1")
        .storage(new InMemoryStorage(disk), Options.none())
        .encryption(keys.provider(), options)
        .archiveStore(store)
        .unarchivedBlocks(10)
        .open();
  }

  private static void assertHolds(Ledger ledger, List<Block> expected) {
    for (Block block : expected) {
      assertThat(ledger.block(block.height())).contains(block);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"envelope", "direct"})
  void itIsKeptArchivedAndRestored(String mode) {
    for (Options options : List.of(aes("one", mode), sm4(mode))) {
      LedgerOverTokenTest world = new LedgerOverTokenTest();
      world.token = token;
      world.directory = directory.resolve(options.requiredText("encryptor"));
      try (Ledger ledger = world.open(options)) {
        ledger.commitAll(blocks);
        ledger.archiver().archive(ArchiveRequest.upTo(24));
      }
      try (Ledger ledger = world.open(options)) {
        ledger.restorer().restore(RestoreRequest.downTo(1));
        assertHolds(ledger, blocks);
        assertThat(ledger.status().encryption().endsWith("-DIRECT"))
            .isEqualTo(mode.equals("direct"));
      }
    }
  }

  @Test
  void anOpenLedgerWhoseKeysAreWrappedGoesOnWithoutTheToken() {
    try (Ledger ledger = open(aes("one", "envelope"))) {
      ledger.commitAll(blocks.subList(0, 20));
      token.gone(true).forget();

      assertHolds(ledger, blocks.subList(0, 20));
      ledger.commitAll(blocks.subList(20, 40));
      assertHolds(ledger, blocks);
      assertThat(token.calls("C_Encrypt") + token.calls("C_Decrypt")).isZero();
    }
    assertThatThrownBy(() -> open(aes("one", "envelope")))
        .isInstanceOf(KeyUnavailableException.class);
    token.gone(false);
    try (Ledger ledger = open(aes("one", "envelope"))) {
      assertHolds(ledger, blocks);
    }
  }

  @Test
  void aLedgerSealedInTheTokenGoesOnWhenTheTokenIsBack() {
    try (Ledger ledger = open(aes("one", "direct"))) {
      ledger.commitAll(blocks.subList(0, 20));
      token.gone(true);
      assertThatThrownBy(() -> ledger.commit(blocks.get(20)))
          .hasStackTraceContaining(KeyUnavailableException.class.getName());
      assertThatThrownBy(() -> ledger.block(3))
          .hasStackTraceContaining(KeyUnavailableException.class.getName());

      token.gone(false);
      nanos.addAndGet(Connection.PAUSE.toNanos());
      ledger.commitAll(blocks.subList(20, 40));
      assertHolds(ledger, blocks);
    }
  }

  @Test
  void anotherKeyOfTheSameNameOpensNothing() {
    open(aes("one", "envelope")).close();
    token.replaceAesKey("one", 32);
    assertThatThrownBy(() -> open(aes("one", "envelope")))
        .isInstanceOfSatisfying(
            KeyUnavailableException.class,
            e -> assertThat(e.reason()).isEqualTo(KeyUnavailableException.Reason.WRONG));
  }

  @Test
  void anotherKeyOfTheSameNameThatAuthenticatesOpensNothing() {
    Options options = aes("one", "direct").with("mac_key", "two");
    open(options).close();
    token.replaceAesKey("two", 32);
    assertThatThrownBy(() -> open(options)).isInstanceOf(KeyUnavailableException.class);
  }

  @Test
  void itMovesFromOneKeyOfTheTokenToAnother() {
    try (Ledger ledger = open(aes("one", "envelope"))) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      LedgerKeys keys = ledger.keys().orElseThrow();
      keys.rewrap("pkcs11", aes("two", "envelope"), Optional.empty());
      keys.rewrap("pkcs11", sm4("envelope"), Optional.of("SM4-GCM"));
      keys.reencrypt(JobControl.none());
    }
    token.remove("one");
    token.remove("two");
    try (Ledger ledger = open(sm4("envelope"))) {
      ledger.restorer().restore(RestoreRequest.downTo(1));
      assertHolds(ledger, blocks);
    }
  }

  @Test
  void itMovesFromSoftwareIntoTheTokenAndBack() {
    Options software = Options.of("key", "hex:" + "a1b2c3d4e5f60718".repeat(4));
    try (Ledger ledger = open(aes("one", "envelope"))) {
      ledger.commitAll(blocks);
      ledger.keys().orElseThrow().rewrap("aes", software, Optional.empty());
    }
    token.remove("one");
    try (Ledger ledger = openInSoftware(software)) {
      assertHolds(ledger, blocks);
      ledger.keys().orElseThrow().rewrap("pkcs11", aes("two", "envelope"), Optional.empty());
    }
    try (Ledger ledger = open(aes("two", "envelope"))) {
      assertHolds(ledger, blocks);
    }
  }

  private Ledger openInSoftware(Options key) {
    return Ledgerkeep.builder()
        .directory(directory.resolve("ledger"))
        .chainId("chain1")
        .storage(new InMemoryStorage(disk), Options.none())
        .encryption("aes", key)
        .archiveStore(store)
        .open();
  }
}
