package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The route through the JVM's provider, on SoftHSM. */
class SunSoftHsmTest {

  private static final byte[] ID = {1, 2, 3};

  private static SoftHsm soft;

  private final Pin pin = new Pin(SoftHsm.PIN::toCharArray, "a test");

  @BeforeAll
  static void makeTokens(@TempDir Path folder) throws IOException {
    soft =
        SoftHsm.in(folder)
            .token("other")
            .aesKey("master", 32)
            .aesKey("small", 16)
            .aesKey("other", "open", ID, 32, true);
  }

  private SunToken open(String label) {
    Profile standard = Profile.named(Profile.STANDARD);
    return SunToken.open(
        new TokenRequest(soft.library(), label, Optional.empty(), Algorithm.AES, standard, 4), pin);
  }

  @Test
  void theSelfTestPasses() {
    SelfTest.Result result =
        SelfTest.run(open(SoftHsm.LABEL).find(KeyName.of("key", "master")), new SecureRandom());

    assertThat(result.checks()).allMatch(c -> c.outcome() == Pkcs11Keys.Outcome.PASSED);
    assertThat(result.tagError()).hasValue(Ckr.GENERAL_ERROR);
  }

  @Test
  void keysAreFoundInTheTokenThatHasThem() {
    TokenKey master = open(SoftHsm.LABEL).find(KeyName.of("key", "master"));
    TokenKey small = open(SoftHsm.LABEL).find(KeyName.of("key", "small"));
    TokenKey other = open("other").find(KeyName.of("key", "open"));

    assertThat(master.facts())
        .returns(32, KeyFacts::bytes)
        .returns(true, KeyFacts::sensitive)
        .returns(false, KeyFacts::extractable);
    assertThat(small.facts().bytes()).isEqualTo(16);
    assertThat(other.facts().extractable()).isTrue();
    assertThatThrownBy(() -> open("other").find(KeyName.of("key", "master")))
        .isInstanceOf(RouteException.class);
  }

  /** SoftHSM always has a slot whose token was never set up. */
  @Test
  void aTokenThatIsNotThereIsToldWithThoseThatAre() {
    assertThatThrownBy(() -> open("nobody"))
        .isInstanceOf(TokenException.class)
        .hasMessageContaining("'other'")
        .hasMessageContaining("'" + SoftHsm.LABEL + "'");
  }

  @Test
  void aTextComesBackAndAChangedOneIsRefused() {
    TokenKey key = open(SoftHsm.LABEL).find(KeyName.of("key", "master"));
    byte[] text = "the text".getBytes(StandardCharsets.UTF_8);
    byte[] out = new byte[text.length + TokenKey.TAG_BYTES];
    byte[] back = new byte[text.length];
    key.encryptGcm(new byte[12], ID, text, 0, text.length, out, 0);
    key.decryptGcm(new byte[12], ID, out, 0, out.length, back, 0);

    assertThat(back).isEqualTo(text);
    out[0] ^= 1;
    assertThatThrownBy(() -> key.decryptGcm(new byte[12], ID, out, 0, out.length, back, 0))
        .isInstanceOfSatisfying(
            TokenException.class, e -> assertThat(e.code()).isEqualTo(Ckr.GENERAL_ERROR));
  }
}
