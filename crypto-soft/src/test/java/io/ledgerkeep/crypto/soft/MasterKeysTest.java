package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class MasterKeysTest {

  private static final String GOOD = "hex:00112233445566778899aabbccddeeff";

  private static EncryptorProvider provider(String name) {
    return name.equals("aes") ? new AesProvider() : new Sm4Provider();
  }

  @Test
  void bothProvidersAreFoundWithTheirSuites() {
    Map<String, List<String>> found = new TreeMap<>();
    ServiceLoader.load(EncryptorProvider.class)
        .forEach(
            provider ->
                found.put(
                    provider.name(),
                    provider.suites().stream()
                        .map(s -> Integer.toHexString(s.id()) + " " + s.name() + " " + s.keyBytes())
                        .toList()));
    assertThat(found)
        .isEqualTo(
            Map.of(
                "aes",
                List.of("101 AES-128-GCM 16", "102 AES-192-GCM 24", "103 AES-256-GCM 32"),
                "sm4",
                List.of("201 SM4-GCM 16")));
  }

  @Test
  void theLengthOfAnAesKeyChoosesTheSuite() {
    for (int bytes : new int[] {16, 24, 32}) {
      String key = "hex:" + "0123456789abcdef".repeat(4).substring(0, 2 * bytes);
      try (KeyWrapper wrapper = new AesProvider().openKey(Options.of("key", key))) {
        assertThat(wrapper.suite()).isEqualTo("AES-" + bytes * 8 + "-GCM");
        assertThat(wrapper.place()).isEqualTo("the configuration");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "aes, 0, 16 or 24 or 32",
    "aes, 15, 16 or 24 or 32",
    "aes, 17, 16 or 24 or 32",
    "aes, 33, 16 or 24 or 32",
    "sm4, 15, 16",
    "sm4, 24, 16",
    "sm4, 32, 16",
  })
  void aWrongLengthNamesTheLengthsAndNotTheKey(String name, int bytes, String lengths) {
    String digits = "7b".repeat(bytes);
    Options options = Options.of("key", bytes == 0 ? "raw:{" : "hex:" + digits);
    int found = Math.max(1, bytes);
    assertThatThrownBy(() -> provider(name).openKey(options))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(" has " + lengths + " bytes")
        .hasMessageEndingWith(" has " + found)
        .hasMessageNotContaining("7b7b")
        .hasMessageNotContaining("{");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1234567890123456",
        "raw:1234567890123456",
        "0x31323334353637383930313233343536",
        "0x48656c6c6f20436861696e4d616b6572",
        "0x48656C6C6F20436861696E4D616B6572",
        "Hello ChainMaker",
        "0H#y EGXPOAScAnB",
      })
  void sampleKeysAreForTrialsOnly(String key) {
    for (String name : List.of("aes", "sm4")) {
      assertThatThrownBy(() -> provider(name).openKey(Options.of("key", key)))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("allow_sample_key")
          .hasMessageNotContaining(key);
      assertThatThrownBy(
              () -> provider(name).openKey(Options.of("key", key, "allow_sample_key", "false")))
          .isInstanceOf(ConfigurationException.class);
      try (KeyWrapper wrapper =
          provider(name).openKey(Options.of("key", key, "allow_sample_key", "true"))) {
        byte[] wrapped = wrapper.wrap(new byte[32], new byte[0]);
        assertThat(wrapper.unwrap(wrapped, new byte[0])).isEqualTo(new byte[32]);
      }
    }
  }

  @Test
  void optionsAreCheckedAtTheDoor() {
    for (Options options :
        List.of(
            Options.none(),
            Options.of("key", GOOD, "keys", "x"),
            Options.of("key", GOOD, "allow_sample_key", "yes"),
            Options.of("key", GOOD, "empty_key_file", ""))) {
      assertThatThrownBy(() -> new AesProvider().openKey(options))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("option '")
          .hasMessageNotContaining(GOOD);
    }
  }

  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "9081726354453627,true",
        "qwertyuiopasdfgh,true",
        "qwerty1234567890,true",
        "aAbB1!aAbB1!aAbB,true",
        "hex:00000000000000000000000000000000,true",
        "kV7)q2Zw#4 Rb.Tx,false",
        "hex:00112233445566778899aabbccddeeff,false",
        "hex:3d9c1f0b77e2a46058b1c0de94f3a275,false",
      })
  void aKeyThatIsEasilyGuessedIsTakenWithOneWarning(String key, boolean weak) {
    try (Logs logs = new Logs();
        KeyWrapper wrapper = new AesProvider().openKey(Options.of("key", key))) {
      assertThat(logs.at(Level.WARN)).hasSize(weak ? 1 : 0);
      assertThat(logs.all()).noneMatch(line -> line.contains(key));
      assertThat(wrapper.suite()).isNotEmpty();
    }
  }

  @Test
  void aMasterKeyOfOneAlgorithmIsNotThatOfAnother() {
    Options options = Options.of("key", GOOD);
    try (KeyWrapper aes = new AesProvider().openKey(options);
        KeyWrapper sm4 = new Sm4Provider().openKey(options)) {
      byte[] wrapped = aes.wrap(new byte[32], new byte[0]);
      assertThatThrownBy(() -> sm4.unwrap(wrapped, new byte[0]))
          .isInstanceOf(KeyUnavailableException.class);
    }
  }

  @Test
  void nothingSealsUnderTheMasterKeyItself() {
    byte[] key = HexFormat.of().parseHex(GOOD.substring(4));
    CipherSuite suite = AesSuites.proven().get(0);
    try (KeyWrapper wrapper = new AesProvider().openKey(Options.of("key", GOOD));
        CipherSuite.Aead raw = suite.aead(key)) {
      byte[] wrapped = wrapper.wrap(new byte[32], new byte[0]);
      assertThat(raw.open(new byte[12], new byte[0], wrapped, 33, 48, new byte[32], 0)).isFalse();
    }
  }

  /** The bytes of docs/format.md, put together by hand. */
  @Test
  void aWrappedKeyIsWhatTheFormatSays() {
    byte[] master = HexFormat.of().parseHex(GOOD.substring(4));
    byte[] context = {1, 2, 3};
    byte[] secret = "a data key of thirty-two bytes..".getBytes(StandardCharsets.US_ASCII);
    for (CipherSuite suite : List.of(AesSuites.proven().get(0), Sm4Suites.bouncyCastle())) {
      byte[] salt = new byte[32];
      Arrays.fill(salt, (byte) 9);
      byte[] info = "ledgerkeep wrapped key 1\0\0".getBytes(StandardCharsets.US_ASCII);
      info[info.length - 2] = (byte) (suite.id() >> 8);
      info[info.length - 1] = (byte) suite.id();
      byte[] wrapped = new byte[1 + 32 + 32 + 16];
      wrapped[0] = 1;
      System.arraycopy(salt, 0, wrapped, 1, 32);
      System.arraycopy(secret, 0, wrapped, 33, 32);
      try (CipherSuite.Aead aead = suite.aead(suite.derive(master, salt, info, 16))) {
        aead.seal(new byte[12], context, wrapped, 33, 32);
      }
      String name = suite.name().startsWith("AES") ? "aes" : "sm4";
      try (KeyWrapper wrapper = provider(name).openKey(Options.of("key", GOOD))) {
        assertThat(wrapper.unwrap(wrapped, context)).isEqualTo(secret);
      }
    }
  }
}
