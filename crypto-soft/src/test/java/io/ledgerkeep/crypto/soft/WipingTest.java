package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Our own copies of keys are wiped when they have served. */
final class WipingTest {

  private static final byte[] KEY = filled(0x77);

  private static byte[] filled(int value) {
    byte[] bytes = new byte[16];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static void assertWiped(byte[] bytes) {
    assertThat(bytes).containsOnly(0);
  }

  @Test
  void aClosedCipherHasWipedItsKey() {
    for (Function<byte[], GcmCipher> cipher :
        List.<Function<byte[], GcmCipher>>of(JdkGcm::new, BouncySm4Gcm::new)) {
      byte[] own = KEY.clone();
      Aead aead = new PooledAead(own, cipher);
      aead.seal(new byte[12], new byte[0], new byte[32], 0, 16);
      assertThat(own).isEqualTo(KEY);
      aead.close();
      assertWiped(own);
    }
  }

  @Test
  void everyCipherOfAPoolIsClosedOnce() {
    List<String> life = new ArrayList<>();
    Aead aead = new PooledAead(KEY.clone(), key -> new Recorded(life));
    aead.seal(new byte[12], new byte[0], new byte[32], 0, 16);
    aead.seal(new byte[12], new byte[0], new byte[32], 0, 16);
    aead.close();
    aead.close();
    assertThat(life).containsExactly("made", "sealed", "sealed", "closed");
  }

  private record Recorded(List<String> life) implements GcmCipher {

    Recorded {
      life.add("made");
    }

    @Override
    public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
      life.add("sealed");
    }

    @Override
    public boolean open(
        byte[] nonce,
        byte[] additional,
        byte[] sealed,
        int offset,
        int length,
        byte[] target,
        int targetOffset) {
      return true;
    }

    @Override
    public void close() {
      life.add("closed");
    }
  }

  /** A suite that keeps a hold on the keys that it gives out and is given. */
  private record Watched(CipherSuite suite, List<byte[]> keys) implements CipherSuite {

    @Override
    public int id() {
      return suite.id();
    }

    @Override
    public String name() {
      return suite.name();
    }

    @Override
    public int keyBytes() {
      return suite.keyBytes();
    }

    @Override
    public Aead aead(byte[] key) {
      keys.add(key);
      return suite.aead(key);
    }

    @Override
    public byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
      byte[] derived = suite.derive(secret, salt, info, bytes);
      keys.add(derived);
      return derived;
    }

    @Override
    public byte[] mac(byte[] key, byte[] data) {
      return suite.mac(key, data);
    }
  }

  @Test
  void aWrapperWipesTheMasterKeyAndWhatItDerives() {
    byte[] master = KEY.clone();
    List<byte[]> keys = new ArrayList<>();
    CipherSuite suite = new Watched(AesSuites.proven().get(0), keys);
    KeyWrapper wrapper =
        new SoftKeyWrapper(master, suite, "here", Optional.empty(), new SecureRandom());
    byte[] wrapped = wrapper.wrap(new byte[32], new byte[0]);
    wrapper.unwrap(wrapped, new byte[0]);
    assertThat(keys).hasSize(4).allSatisfy(WipingTest::assertWiped);
    assertThat(master).isEqualTo(KEY);
    wrapper.close();
    assertWiped(master);
  }

  @Test
  void aKeyThatIsRefusedIsWiped() {
    byte[] refused = filled(0x55);
    KeyLengths lengths = new KeyLengths("SM4", List.of(Sm4Suites.bouncyCastle()));
    byte[] tooLong = Arrays.copyOf(refused, 17);
    assertThatThrownBy(
            () -> MasterKeys.wrapper(tooLong, lengths, false, new SecureRandom(), Optional.empty()))
        .isInstanceOf(ConfigurationException.class);
    assertWiped(tooLong);
    byte[] sample = "1234567890123456".getBytes(StandardCharsets.US_ASCII);
    assertThatThrownBy(
            () -> MasterKeys.wrapper(sample, lengths, false, new SecureRandom(), Optional.empty()))
        .isInstanceOf(ConfigurationException.class);
    assertWiped(sample);
  }

  @Test
  void whatCannotBeOpenedLeavesNothingInTheTarget() {
    for (Function<byte[], GcmCipher> maker :
        List.<Function<byte[], GcmCipher>>of(JdkGcm::new, BouncySm4Gcm::new)) {
      assertTargetIsWiped(new PooledAead(KEY.clone(), maker));
    }
  }

  @Test
  void whatLibgcryptCannotOpenLeavesNothingInTheTarget() {
    assertTargetIsWiped(Libgcrypt.suite().aead(KEY));
  }

  private static void assertTargetIsWiped(Aead aead) {
    try (aead) {
      byte[] buffer = new byte[100_016];
      Arrays.fill(buffer, (byte) 0x33);
      aead.seal(new byte[12], new byte[0], buffer, 0, 100_000);
      buffer[buffer.length - 1] ^= 1;
      byte[] target = new byte[100_002];
      Arrays.fill(target, (byte) 0x44);
      assertThat(aead.open(new byte[12], new byte[0], buffer, 0, buffer.length, target, 1))
          .isFalse();
      assertThat(target[0]).isEqualTo((byte) 0x44);
      assertThat(target[100_001]).isEqualTo((byte) 0x44);
      assertWiped(Arrays.copyOfRange(target, 1, 100_001));
    }
  }
}
