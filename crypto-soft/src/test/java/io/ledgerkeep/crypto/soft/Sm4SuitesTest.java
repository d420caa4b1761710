package io.ledgerkeep.crypto.soft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.security.Security;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who computes SM4, and that it does not matter but for the speed. */
final class Sm4SuitesTest {

  @AfterEach
  void forgetTheChoice() {
    System.clearProperty(Sm4Suites.PROPERTY);
  }

  /** A cipher that computes rightly but for one byte of what is sealed. */
  private record Wrong(GcmCipher right) implements GcmCipher {

    @Override
    public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
      right.seal(nonce, additional, buffer, offset, length);
      buffer[offset] ^= 1;
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
      return right.open(nonce, additional, sealed, offset, length, target, targetOffset);
    }

    @Override
    public void close() {
      right.close();
    }
  }

  /** A cipher that drops what lies behind 64 KiB, as one of the JVM's does in its own way. */
  private record Short(GcmCipher right) implements GcmCipher {

    @Override
    public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
      right.seal(nonce, additional, buffer, offset, Math.min(length, 1 << 16));
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
      int kept = Math.min(length, (1 << 16) + CipherSuite.TAG_BYTES);
      return right.open(nonce, additional, sealed, offset, kept, target, targetOffset);
    }

    @Override
    public void close() {
      right.close();
    }
  }

  @Test
  void aLibraryThatComputesWronglyIsNotUsed() {
    try (Logs logs = new Logs()) {
      SoftSuite suite =
          Sm4Suites.fastest(() -> Sm4Suites.proven(key -> new Wrong(new BouncySm4Gcm(key))));
      assertThat(sealed(suite)).isEqualTo(sealed(Sm4Suites.bouncyCastle()));
      assertThat(logs.at(Level.WARN)).singleElement().asString().contains("Bouncy Castle");
    }
  }

  @Test
  void aCipherThatComputesWronglyIsRefusedWhereThereIsNoOther() {
    assertThatThrownBy(() -> Sm4Suites.proven(key -> new Wrong(new BouncySm4Gcm(key))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("SM4-GCM does not compute");
    assertThatThrownBy(() -> Sm4Suites.proven(key -> new Short(new BouncySm4Gcm(key))))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aMissingLibraryIsToldAtInfo() {
    try (Logs logs = new Logs()) {
      SoftSuite suite =
          Sm4Suites.fastest(
              () -> {
                throw new LibraryMissingException("no such library");
              });
      assertThat(sealed(suite)).isEqualTo(sealed(Sm4Suites.bouncyCastle()));
      assertThat(logs.at(Level.WARN)).isEmpty();
      assertThat(logs.at(Level.INFO)).singleElement().asString().contains("no such library");
    }
  }

  private static byte[] sealed(CipherSuite suite) {
    byte[] buffer = new byte[116];
    try (Aead aead = suite.aead(new byte[16])) {
      aead.seal(new byte[12], new byte[7], buffer, 0, 100);
    }
    return buffer;
  }

  @Test
  void thePropertyForcesOneOfThem() {
    System.setProperty(Sm4Suites.PROPERTY, "bouncycastle");
    assertThat(made()).isEqualTo(BouncySm4Gcm.class);
    System.setProperty(Sm4Suites.PROPERTY, "openssl");
    assertThatThrownBy(() -> new Sm4Provider().suites())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(Sm4Suites.PROPERTY);
  }

  @Test
  void libgcryptIsUsedWhereItIs() {
    Libgcrypt.suite();
    assertThat(made()).isEqualTo(GcryptSm4Gcm.class);
    System.setProperty(Sm4Suites.PROPERTY, "libgcrypt");
    assertThat(made()).isEqualTo(GcryptSm4Gcm.class);
  }

  private static Class<?> made() {
    SoftSuite suite = (SoftSuite) new Sm4Provider().suites().get(0);
    try (GcmCipher cipher = suite.cipher().apply(new byte[16])) {
      return cipher.getClass();
    }
  }

  @Test
  void bothSealTheSameBytes() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    byte[] key = new byte[16];
    random.nextBytes(key);
    try (Aead one = Sm4Suites.bouncyCastle().aead(key);
        Aead other = Libgcrypt.suite().aead(key)) {
      for (int i = 0; i < 300; i++) {
        byte[] nonce = new byte[12];
        random.nextBytes(nonce);
        byte[] additional = new byte[i == 17 ? 70_001 : random.nextInt(100)];
        random.nextBytes(additional);
        int size = i < 200 ? i : 32_760 + random.nextInt(70_000);
        byte[] first = new byte[size + CipherSuite.TAG_BYTES];
        random.nextBytes(first);
        byte[] second = first.clone();
        byte[] plain = Arrays.copyOf(first, size);
        one.seal(nonce, additional, first, 0, size);
        other.seal(nonce, additional, second, 0, size);
        assertThat(second).as("seed %s, size %s", seed, size).isEqualTo(first);
        byte[] target = new byte[size];
        assertThat(other.open(nonce, additional, first, 0, first.length, target, 0)).isTrue();
        assertThat(target).isEqualTo(plain);
      }
    }
  }

  @Test
  void nothingIsAddedToTheProvidersOfTheJvm() {
    List<String> before = Arrays.stream(Security.getProviders()).map(Object::toString).toList();
    new AesProvider().suites();
    sealed(new Sm4Provider().suites().get(0));
    sealed(Sm4Suites.bouncyCastle());
    List<String> after = Arrays.stream(Security.getProviders()).map(Object::toString).toList();
    assertThat(after).isEqualTo(before).noneMatch(name -> name.startsWith("BC"));
  }
}
