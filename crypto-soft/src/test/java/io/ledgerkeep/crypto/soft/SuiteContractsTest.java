package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.testkit.contract.CipherSuiteContract;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.junit.jupiter.api.Nested;

/** Every suite keeps the rules of suites, SM4 by whoever computes it. */
final class SuiteContractsTest {

  private abstract static class Aes extends CipherSuiteContract {

    private final int index;

    Aes(int index) {
      this.index = index;
    }

    @Override
    protected CipherSuite suite() {
      return AesSuites.proven().get(index);
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

  private abstract static class Sm4 extends CipherSuiteContract {

    @Override
    protected byte[] hash(byte[] data) {
      SM3Digest digest = new SM3Digest();
      for (byte b : data) {
        digest.update(b);
      }
      byte[] hash = new byte[digest.getDigestSize()];
      digest.doFinal(hash, 0);
      return hash;
    }
  }

  @Nested
  final class Aes128 extends Aes {
    Aes128() {
      super(0);
    }
  }

  @Nested
  final class Aes192 extends Aes {
    Aes192() {
      super(1);
    }
  }

  @Nested
  final class Aes256 extends Aes {
    Aes256() {
      super(2);
    }
  }

  @Nested
  final class Sm4ByBouncyCastle extends Sm4 {
    @Override
    protected CipherSuite suite() {
      return Sm4Suites.bouncyCastle();
    }
  }

  @Nested
  final class Sm4ByLibgcrypt extends Sm4 {
    @Override
    protected CipherSuite suite() {
      return Libgcrypt.suite();
    }
  }
}
