package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import java.util.Arrays;
import org.bouncycastle.crypto.InvalidCipherTextException;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.modes.GCMBlockCipher;
import org.bouncycastle.crypto.modes.GCMModeCipher;
import org.bouncycastle.crypto.params.AEADParameters;
import org.bouncycastle.crypto.params.KeyParameter;
import org.jspecify.annotations.Nullable;

/** SM4-GCM by Bouncy Castle's own interface, without a security provider. */
final class BouncySm4Gcm implements GcmCipher {

  private static final int KEY_BYTES = 16;
  private static final int TAG_BITS = CipherSuite.TAG_BYTES * Byte.SIZE;

  /** No key in the parameters lets a cipher go on with the one that it has. */
  private static final @Nullable KeyParameter SAME_KEY = null;

  /** Of another length than those of values, so that it is none of them. */
  private static final byte[] NO_VALUES_NONCE = new byte[16];

  /**
   * One for each direction: a cipher refuses to seal with the last nonce that it saw, and whoever
   * puts a forged value before us to open must not take the next nonce away from us.
   */
  private final GCMModeCipher sealer = GCMBlockCipher.newInstance(new SM4Engine());

  private final GCMModeCipher opener = GCMBlockCipher.newInstance(new SM4Engine());

  /** Creates the cipher under a key, of which only the schedule is kept. */
  BouncySm4Gcm(byte[] key) {
    use(key);
  }

  private void use(byte[] key) {
    KeyParameter copy = new KeyParameter(key);
    AEADParameters first = new AEADParameters(copy, TAG_BITS, NO_VALUES_NONCE);
    sealer.init(true, first);
    opener.init(false, first);
    // The array inside, not a copy of it.
    Arrays.fill(copy.getKey(), (byte) 0);
  }

  @Override
  public void seal(byte[] nonce, byte[] additional, byte[] buffer, int offset, int length) {
    try {
      sealer.init(true, new AEADParameters(SAME_KEY, TAG_BITS, nonce, additional));
      int done = sealer.processBytes(buffer, offset, length, buffer, offset);
      sealer.doFinal(buffer, offset + done);
    } catch (InvalidCipherTextException | IllegalArgumentException e) {
      throw new IllegalStateException("Bouncy Castle refused to seal: " + e.getMessage(), e);
    }
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
    opener.init(false, new AEADParameters(SAME_KEY, TAG_BITS, nonce, additional));
    try {
      int done = opener.processBytes(sealed, offset, length, target, targetOffset);
      opener.doFinal(target, targetOffset + done);
      return true;
    } catch (InvalidCipherTextException e) {
      // It writes what it deciphers before it has seen the tag.
      int until = targetOffset + length - CipherSuite.TAG_BYTES;
      Arrays.fill(target, targetOffset, until, (byte) 0);
      return false;
    }
  }

  @Override
  public void close() {
    use(GcmCipher.throwAwayKey(KEY_BYTES));
  }
}
