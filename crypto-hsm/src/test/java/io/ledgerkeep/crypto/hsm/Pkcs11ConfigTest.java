package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Options that are missing, unknown or contradictory are refused by name, and nothing falls back.
 */
final class Pkcs11ConfigTest {

  private TestToken token;

  @BeforeEach
  void start() {
    token = TestToken.start().aesKey("master", 32);
  }

  private Options options() {
    return Settings.aes(token, "master");
  }

  private Options without(String name) {
    Map<String, String> left = new HashMap<>(options().asMap());
    left.remove(name);
    return Options.of(left);
  }

  private static KeyWrapper open(Options options) {
    return new Pkcs11Provider().openKey(options);
  }

  private static void assertRefused(Options options, String... words) {
    assertThatThrownBy(() -> open(options).close())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll(words)
        .hasMessageNotContaining(TestToken.PIN);
  }

  @Test
  void theProviderIsFoundAndBringsNoSuites() {
    EncryptorProvider provider =
        ServiceLoader.load(EncryptorProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(each -> each.name().equals("pkcs11"))
            .findFirst()
            .orElseThrow();

    assertThat(provider.suites()).isEmpty();
    provider.openKey(options()).close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"encryptor", "key", "library", "label", "password"})
  void whatIsMissingIsNamed(String option) {
    assertRefused(without(option), option);
  }

  @ParameterizedTest
  @CsvSource({
    "encryptor, des",
    "key, ''",
    "key, hex:0g",
    "key, hex:",
    "library, relative.so",
    "library, /no/such/file",
    "label, ' '",
    "session_cache_size, 0",
    "session_cache_size, many",
    "hash, MD5",
    "mode, both",
    "route, pigeon",
    "profile, nobody",
    "mac_key, other",
    "archive, token",
    "type, usb",
    "colour, red",
    "password_file, /some/file",
  })
  void whatIsWrongIsNamed(String option, String value) {
    assertRefused(options().with(option, value), option);
  }

  @Test
  void sdfIsRefusedByName() {
    assertRefused(options().with("type", "sdf"), "SDF", "not supported");
    open(options().with("type", "pkcs11")).close();
  }

  @Test
  void sm4WithoutTheVendorIsRefused() {
    assertRefused(options().with("encryptor", "sm4"), "profile");
    assertRefused(options().with("encryptor", "sm4").with("profile", "standard"), "for AES");
    assertRefused(options().with("profile", "sansec"), "for SM4");
  }

  private String route(Options options) {
    return Pkcs11Keys.withPinInOptions().probe(options).route();
  }

  @Test
  void theRouteIsOurOwnUnlessAnotherIsChosen() {
    Options auto = options().with("route", "auto");
    assertThat(route(auto)).isEqualTo("native");
    assertThat(route(auto.with("route", "native"))).isEqualTo("native");
    assertThat(route(auto.with("route", "sunpkcs11"))).isEqualTo("sunpkcs11");
  }

  @Test
  void whatTheJvmCannotDoIsRefusedOnItsRoute() {
    Options sun = options().with("route", "sunpkcs11");
    token.key("twin", "aes", "bytes=16").key("twin", "aes", "bytes=16");
    assertRefused(sun, "SunPKCS11");
  }

  @Test
  void aTokenThatMakesIvsIsNotLeftToTheJvm() {
    token.ownIv(TestToken.OwnIv.INIT);
    Options auto = options().with("route", "auto").with("mode", "direct");
    try (KeyWrapper wrapper = open(auto);
        KeyWrapper.Direct direct = wrapper.openDirect(calls -> {}).orElseThrow()) {
      assertThat(direct.suite().id()).isEqualTo(0x0313);
    }
  }

  @Test
  void aFileThatIsNoLibraryIsRefused(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("lib.so"), "no library");
    assertRefused(options().with("library", file.toString()), "library");
  }

  @Test
  void thePinComesFromAFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("pin");
    Options options = without("password").with("password_file", file.toString());
    assertThatThrownBy(() -> open(options))
        .isInstanceOf(KeyUnavailableException.class)
        .hasMessageContaining(file.toString());
    for (String end : List.of("", "\n", "\r\n")) {
      Files.writeString(file, TestToken.PIN + end);
      open(options).close();
    }
    Files.writeString(file, "\n");
    assertThatThrownBy(() -> open(options)).isInstanceOf(KeyUnavailableException.class);
  }

  @Test
  void thePinComesFromTheEnvironment() {
    Options options = without("password").with("password_env", "TOKEN_PIN");
    Map<String, String> environment = new HashMap<>();
    Pkcs11Keys keys = new Pkcs11Keys(Optional.empty(), environment::get, System::nanoTime);
    assertThatThrownBy(() -> keys.open(options))
        .isInstanceOf(KeyUnavailableException.class)
        .hasMessageContaining("TOKEN_PIN");
    environment.put("TOKEN_PIN", TestToken.PIN);
    keys.open(options).close();
  }

  @Test
  void thePasswordMayBeAReference(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("pin"), TestToken.PIN);
    Map<String, String> environment = Map.of("TOKEN_PIN", TestToken.PIN);
    Pkcs11Keys keys = new Pkcs11Keys(Optional.empty(), environment::get, System::nanoTime);
    for (String text : List.of("env:TOKEN_PIN", "file:" + file, "raw:" + TestToken.PIN)) {
      keys.open(options().with("password", text)).close();
    }
    assertThatThrownBy(() -> keys.open(options().with("password", "env:ABSENT")))
        .isInstanceOf(KeyUnavailableException.class)
        .hasMessageContaining("ABSENT");
    assertRefused(options().with("password", "env:"), "nothing after 'env:'");
  }

  @Test
  void thePinComesFromACallback() {
    Pkcs11Keys keys = Pkcs11Keys.withPin(TestToken.PIN::toCharArray);
    keys.provider().openKey(without("password")).close();
    assertThatThrownBy(() -> keys.open(options()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("exactly one");
  }

  @Test
  void aProfileOfTheUserServesLikeOurs(@TempDir Path folder) throws IOException {
    token.profile("westone").sm4Key("sm4");
    Path file = folder.resolve("mine.profile");
    Files.writeString(
        file, "algorithm = sm4\nkey_type = 0x80000005\necb = 0x80000029\ncbc = 0x8000002A\n");
    open(Settings.sm4(token, "sm4", file.toString())).close();
    open(Settings.sm4(token, "sm4", "westone")).close();

    Files.writeString(file, "algorithm = sm4\ncbc = 0x8000002A\nctr = 1\n");
    assertRefused(Settings.sm4(token, "sm4", file.toString()), "ctr");
    Files.writeString(file, "algorithm = sm4\ncbc = twelve\n");
    assertRefused(Settings.sm4(token, "sm4", file.toString()), "cbc", "number");
    Files.writeString(file, "algorithm = sm4\n");
    assertRefused(Settings.sm4(token, "sm4", file.toString()), "none of");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"ibm", "koal", "luna", "sansec", "sansec-itrus", "tass", "westone", "xihsm"})
  void everyProfileOfOursIsWhole(String name) {
    Profile profile = Profile.named(name);
    assertThat(profile.algorithm()).isEqualTo(Algorithm.SM4);
    assertThat(profile.ecb()).isPresent();
    assertThat(profile.cbc()).isPresent();
  }

  @Test
  void nothingThatIsPrintedHasThePin() {
    try (KeyWrapper wrapper = open(options())) {
      assertThat(wrapper.toString() + wrapper.place() + Pkcs11Keys.withPinInOptions())
          .doesNotContain(TestToken.PIN);
    }
  }
}
