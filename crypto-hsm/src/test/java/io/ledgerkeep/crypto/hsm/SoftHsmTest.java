package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.crypto.hsm.Pkcs11Keys.Probe;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.KeyWrapper.Direct;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.testkit.contract.CipherSuiteContract;
import io.ledgerkeep.testkit.contract.KeyWrapperContract;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What others made as a token, and not for us: SoftHSM, over the native route. */
final class SoftHsmTest {

  private static SoftHsm token;

  @BeforeAll
  static void start(@TempDir Path folder) throws IOException {
    token =
        SoftHsm.in(folder)
            .token("twin")
            .token("twin")
            .aesKey("one", 32)
            .aesKey("two", 32)
            .aesKey("short", 16);
    token.aesKey(SoftHsm.LABEL, "open", new byte[] {9}, 32, true);
  }

  private static Options options(String key) {
    return Settings.aes(token, key);
  }

  @Nested
  final class Wrapper extends KeyWrapperContract {

    @Override
    protected KeyWrapper open(int masterKey) {
      Options options = options(masterKey == 0 ? "one" : "two").with("mode", "direct");
      return new Pkcs11Provider().openKey(options);
    }

    @Override
    protected CipherSuite software() {
      return SoftwareSuites.of(Algorithm.AES, 32);
    }

    @Override
    protected List<Bytes> secrets() {
      return List.of(Bytes.wrap(SoftHsm.PIN.getBytes(StandardCharsets.US_ASCII)));
    }
  }

  @Nested
  final class Suite extends CipherSuiteContract {

    private Direct direct;

    @BeforeEach
    void open() {
      try (KeyWrapper wrapper =
          new Pkcs11Provider().openKey(options("one").with("mode", "direct"))) {
        direct = wrapper.openDirect(calls -> {}).orElseThrow();
      }
    }

    @AfterEach
    void close() {
      direct.close();
    }

    @Override
    protected CipherSuite suite() {
      return direct.suite();
    }

    @Override
    protected byte[] hash(byte[] data) {
      try {
        return MessageDigest.getInstance("SHA-256").digest(data);
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void theLengthOfTheKeyChoosesTheSuite() {
    try (KeyWrapper wrapper = new Pkcs11Provider().openKey(options("short"))) {
      assertThat(wrapper.suite()).isEqualTo("AES-128-GCM");
    }
  }

  @Test
  void aKeyThatCanBeTakenOutIsRefused() {
    assertThatThrownBy(() -> new Pkcs11Provider().openKey(options("open")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("can be taken out");
  }

  @Test
  void twoTokensOfALabelAreToldApartByTheirSerials() {
    assertThatThrownBy(() -> new Pkcs11Provider().openKey(options("one").with("label", "twin")))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("2 tokens have the label 'twin'")
        .hasMessageContaining("'serial'");
    Probe probe = Pkcs11Keys.withPinInOptions().probe(options("one"));
    Options exact = options("one").with("serial", probe.serial());
    new Pkcs11Provider().openKey(exact).close();
  }

  @Test
  void theProbeTellsWhatThereIs() {
    Probe probe = Pkcs11Keys.withPinInOptions().probe(options("one"));

    assertThat(probe.passed()).as(probe.checks().toString()).isTrue();
    assertThat(probe.token()).isEqualTo(SoftHsm.LABEL);
    assertThat(probe.tagError()).isEqualTo("CKR_GENERAL_ERROR");
    assertThat(probe.ownIv()).isFalse();
    assertThat(probe.keyBytes()).isEqualTo(32);
  }
}
