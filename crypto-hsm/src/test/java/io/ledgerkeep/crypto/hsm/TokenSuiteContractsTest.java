package io.ledgerkeep.crypto.hsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.KeyWrapper.Direct;
import io.ledgerkeep.testkit.contract.CipherSuiteContract;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Suites that seal in tokens of every kind keep the rules of suites. */
final class TokenSuiteContractsTest {

  private abstract static class OverTestToken extends CipherSuiteContract {

    private Direct direct;

    @BeforeEach
    final void start() {
      TestToken token = TestToken.start();
      try (KeyWrapper wrapper = new Pkcs11Provider().openKey(furnish(token))) {
        direct = wrapper.openDirect(calls -> {}).orElseThrow();
      }
    }

    @AfterEach
    final void close() {
      direct.close();
    }

    /** Makes keys in the token, and returns the options for it. */
    abstract Options furnish(TestToken token);

    abstract int number();

    abstract int mostOverhead();

    @Override
    protected final CipherSuite suite() {
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

    @Test
    void theNumberIsTheOneOfTheFormat() {
      assertThat(suite().id()).isEqualTo(number());
    }

    @Test
    void aSmallValueIsLongerByNoMoreThanIsSaid() {
      for (int size = 0; size <= 512; size++) {
        // Twelve bytes more tell the epoch and the number of the value.
        assertThat(12 + suite().sealedBytes(size) - size).isLessThanOrEqualTo(mostOverhead());
      }
    }
  }

  private abstract static class Aes extends OverTestToken {

    @Override
    Options furnish(TestToken token) {
      token.aesKey("one", 32).aesKey("codes", 16);
      return Settings.aes(token, "one").with("mode", "direct");
    }

    @Override
    int number() {
      return 0x0303;
    }

    @Override
    int mostOverhead() {
      return 32;
    }
  }

  private abstract static class Sm4 extends OverTestToken {

    @Override
    protected final byte[] hash(byte[] data) {
      SM3Digest digest = new SM3Digest();
      digest.update(data, 0, data.length);
      byte[] hash = new byte[digest.getDigestSize()];
      digest.doFinal(hash, 0);
      return hash;
    }
  }

  @Nested
  final class Aes256 extends Aes {}

  @Nested
  final class Aes256WithSmallCalls extends Aes {
    @Override
    Options furnish(TestToken token) {
      return super.furnish(token.set("text_limit=1000"));
    }
  }

  @Nested
  final class Aes256WhereTagsFailLikeEverything extends Aes {
    @Override
    Options furnish(TestToken token) {
      return super.furnish(token.set("tag_error=CKR_GENERAL_ERROR"));
    }
  }

  @Nested
  final class Aes256UnderIvsOfTheToken extends Aes {
    @Override
    Options furnish(TestToken token) {
      return super.furnish(token.ownIv(TestToken.OwnIv.END));
    }

    @Override
    int number() {
      return 0x0313;
    }

    @Override
    int mostOverhead() {
      return 44;
    }

    @Override
    protected boolean sealsAlike() {
      return false;
    }
  }

  @Nested
  final class Aes256ByCbc extends Aes {
    @Override
    Options furnish(TestToken token) {
      return super.furnish(token.mechanism("aes_gcm", "none")).with("mac_key", "codes");
    }

    @Override
    int number() {
      return 0x0323;
    }

    @Override
    int mostOverhead() {
      return 52;
    }
  }

  @Nested
  final class Sm4ByGcm extends Sm4 {
    @Override
    Options furnish(TestToken token) {
      token.profile("koal").sm4Key("one");
      return Settings.sm4(token, "one", "koal").with("mode", "direct");
    }

    @Override
    int number() {
      return 0x0304;
    }

    @Override
    int mostOverhead() {
      return 32;
    }
  }

  @Nested
  final class Sm4ByCbc extends Sm4 {
    @Override
    Options furnish(TestToken token) {
      token.profile("tass").sm4Key("one").sm4Key("codes");
      return Settings.sm4(token, "one", "tass").with("mode", "direct").with("mac_key", "codes");
    }

    @Override
    int number() {
      return 0x0324;
    }

    @Override
    int mostOverhead() {
      return 52;
    }
  }
}
