package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import java.util.Arrays;
import java.util.Optional;

/**
 * The body of a registry, sealed under a key that is derived from the root and a salt of its own,
 * with a commitment to that key.
 */
final class RegistryBody {

  private static final Bytes LABEL = Bytes.ofUtf8("ledgerkeep registry body 1");
  private static final int COMMITMENT_BYTES = 32;

  /** Each body has a key of its own. */
  private static final byte[] ZERO_NONCE = new byte[CipherSuite.NONCE_BYTES];

  private RegistryBody() {}

  /** Returns the body in plain, to be wiped; empty if it is not what was written. */
  static Optional<byte[]> open(CipherSuite suite, Secret root, RegistryFile file) {
    byte[] material = material(suite, root, file.ledgerId(), file.salt());
    byte[] body = new byte[Math.max(0, file.body().size() - CipherSuite.TAG_BYTES)];
    try (Aead aead = Secret.aead(suite, material)) {
      boolean opened =
          commitment(suite, material).equals(file.commitment())
              && aead.open(
                  ZERO_NONCE,
                  file.head().toArrayUnsafe(),
                  file.body().toArrayUnsafe(),
                  0,
                  file.body().size(),
                  body,
                  0);
      return opened ? Optional.of(body) : Optional.empty();
    } finally {
      Arrays.fill(material, (byte) 0);
    }
  }

  /** Returns the next generation of a registry with another body, which is wiped. */
  static RegistryFile next(CipherSuite suite, Secret root, RegistryFile base, byte[] plain) {
    Bytes salt = Bytes.wrap(Secret.randomBytes());
    byte[] material = material(suite, root, base.ledgerId(), salt);
    byte[] body = new byte[plain.length + CipherSuite.TAG_BYTES];
    System.arraycopy(plain, 0, body, 0, plain.length);
    Arrays.fill(plain, (byte) 0);
    RegistryFile next = base.next(salt, commitment(suite, material), Bytes.wrap(body));
    try (Aead aead = Secret.aead(suite, material)) {
      aead.seal(ZERO_NONCE, next.head().toArrayUnsafe(), body, 0, plain.length);
    } catch (RuntimeException | Error e) {
      Arrays.fill(body, (byte) 0);
      throw e;
    } finally {
      Arrays.fill(material, (byte) 0);
    }
    return next;
  }

  /** Derives the key of the body, followed by the commitment to it. */
  private static byte[] material(CipherSuite suite, Secret root, Bytes ledgerId, Bytes salt) {
    Bytes info = new ByteWriter(64).raw(LABEL).u32(suite.id()).raw(ledgerId).take();
    return suite.derive(
        root.bytes(), salt.toArray(), info.toArray(), suite.keyBytes() + COMMITMENT_BYTES);
  }

  private static Bytes commitment(CipherSuite suite, byte[] material) {
    int from = suite.keyBytes();
    return Bytes.wrap(Arrays.copyOfRange(material, from, from + COMMITMENT_BYTES));
  }
}
