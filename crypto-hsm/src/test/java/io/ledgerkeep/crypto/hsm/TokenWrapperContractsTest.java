package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.testkit.contract.KeyWrapperContract;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Wrappers over tokens of every kind keep the rules of wrappers. */
final class TokenWrapperContractsTest {

  private abstract static class OverTestToken extends KeyWrapperContract {

    private TestToken token;

    @BeforeEach
    final void start() {
      token = TestToken.start();
      furnish(token);
    }

    abstract void furnish(TestToken empty);

    abstract Options options(TestToken of, String key);

    abstract String suite();

    @Override
    protected final KeyWrapper open(int masterKey) {
      return new Pkcs11Provider().openKey(options(token, masterKey == 0 ? "one" : "two"));
    }

    @Override
    protected final CipherSuite software() {
      return suite().startsWith("SM4")
          ? SoftwareSuites.of(Algorithm.SM4, 16)
          : SoftwareSuites.of(Algorithm.AES, Integer.parseInt(suite().substring(4, 7)) / 8);
    }

    @Override
    protected final List<Bytes> secrets() {
      return List.of(Bytes.wrap(TestToken.PIN.getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void keyAndAlgorithmChooseTheSuite() {
      try (KeyWrapper wrapper = open(0)) {
        assertThat(wrapper.suite()).isEqualTo(suite());
        assertThat(wrapper.place()).contains("'one'").contains(TestToken.LABEL);
      }
    }

    @Test
    void noSessionIsLeftBehind() {
      try (KeyWrapper wrapper = open(0)) {
        wrapper.wrap(new byte[32], new byte[0]);
      }
      assertThat(token.sessions()).isZero();
    }
  }

  private abstract static class Aes extends OverTestToken {

    private final int keyBytes;

    Aes(int keyBytes) {
      this.keyBytes = keyBytes;
    }

    @Override
    void furnish(TestToken empty) {
      empty.aesKey("one", keyBytes).aesKey("two", keyBytes).aesKey("codes", 16);
    }

    @Override
    Options options(TestToken of, String key) {
      return Settings.aes(of, key);
    }

    @Override
    String suite() {
      return "AES-" + keyBytes * Byte.SIZE + "-GCM";
    }
  }

  private abstract static class Sm4 extends OverTestToken {

    private final String profile;

    Sm4(String profile) {
      this.profile = profile;
    }

    @Override
    void furnish(TestToken empty) {
      empty.profile(profile).sm4Key("one").sm4Key("two").sm4Key("codes");
    }

    @Override
    Options options(TestToken of, String key) {
      return Settings.sm4(of, key, profile);
    }

    @Override
    String suite() {
      return "SM4-GCM";
    }
  }

  @Nested
  final class Aes128ByGcm extends Aes {
    Aes128ByGcm() {
      super(16);
    }
  }

  @Nested
  final class Aes192ByGcm extends Aes {
    Aes192ByGcm() {
      super(24);
    }
  }

  @Nested
  final class Aes256ByCbc extends Aes {
    Aes256ByCbc() {
      super(32);
    }

    @Override
    void furnish(TestToken empty) {
      super.furnish(empty.mechanism("aes_gcm", "none"));
    }
  }

  @Nested
  final class Aes256ByEcb extends Aes {
    Aes256ByEcb() {
      super(32);
    }

    @Override
    void furnish(TestToken empty) {
      super.furnish(empty.mechanism("aes_gcm", "none").mechanism("aes_cbc", "none"));
    }
  }

  @Nested
  final class Aes256ByGcmAlone extends Aes {
    Aes256ByGcmAlone() {
      super(32);
    }

    @Override
    void furnish(TestToken empty) {
      super.furnish(empty.mechanism("aes_ecb", "none").mechanism("aes_cbc", "none"));
    }
  }

  @Nested
  final class Aes256UnderIvsOfTheToken extends Aes {
    Aes256UnderIvsOfTheToken() {
      super(32);
    }

    @Override
    void furnish(TestToken empty) {
      super.furnish(empty.ownIv(TestToken.OwnIv.END));
    }
  }

  @Nested
  final class Aes256WhereTagsFailLikeEverything extends Aes {
    Aes256WhereTagsFailLikeEverything() {
      super(32);
    }

    @Override
    void furnish(TestToken empty) {
      super.furnish(empty.set("tag_error=CKR_GENERAL_ERROR"));
    }
  }

  @Nested
  final class Aes256Direct extends Aes {
    Aes256Direct() {
      super(32);
    }

    @Override
    Options options(TestToken of, String key) {
      return super.options(of, key).with("mode", "direct");
    }
  }

  @Nested
  final class Sm4ByCbc extends Sm4 {
    Sm4ByCbc() {
      super("sansec");
    }
  }

  @Nested
  final class Sm4ByGcm extends Sm4 {
    Sm4ByGcm() {
      super("koal");
    }
  }

  @Nested
  final class Sm4DirectByCbc extends Sm4 {
    Sm4DirectByCbc() {
      super("tass");
    }

    @Override
    Options options(TestToken of, String key) {
      return super.options(of, key).with("mode", "direct").with("mac_key", "codes");
    }
  }
}
