package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.testkit.contract.KeyWrapperContract;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Wrappers under master keys of every length keep the rules of wrappers. */
final class WrapperContractsTest {

  private abstract static class Soft extends KeyWrapperContract {

    private final EncryptorProvider provider;
    private final List<Bytes> keys;
    private final String suite;

    Soft(EncryptorProvider provider, int keyBytes, String suite) {
      this.provider = provider;
      this.keys = List.of(random(keyBytes), random(keyBytes + 100).slice(0, keyBytes));
      this.suite = suite;
    }

    private static Bytes random(int seed) {
      byte[] bytes = new byte[seed];
      new Random(seed).nextBytes(bytes);
      return Bytes.wrap(bytes);
    }

    @Override
    protected KeyWrapper open(int masterKey) {
      return provider.openKey(Options.of("key", "hex:" + keys.get(masterKey).hex()));
    }

    @Override
    protected List<Bytes> secrets() {
      return keys;
    }

    @Test
    void theLengthChoosesTheSuite() {
      try (KeyWrapper wrapper = open(0)) {
        assertThat(wrapper.suite()).isEqualTo(suite);
      }
    }
  }

  @Nested
  final class Aes128 extends Soft {
    Aes128() {
      super(new AesProvider(), 16, "AES-128-GCM");
    }
  }

  @Nested
  final class Aes192 extends Soft {
    Aes192() {
      super(new AesProvider(), 24, "AES-192-GCM");
    }
  }

  @Nested
  final class Aes256 extends Soft {
    Aes256() {
      super(new AesProvider(), 32, "AES-256-GCM");
    }
  }

  @Nested
  final class Sm4 extends Soft {
    Sm4() {
      super(new Sm4Provider(), 16, "SM4-GCM");
    }
  }
}
