package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.crypto.hsm.Abilities.Mode;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What tells a key in a token from all others, without showing anything of it: a hash of what it
 * makes of one fixed block.
 *
 * <p>The block is derived from a label. It is not the block of zeros that check values of keys are
 * made of: what a key makes of that is the secret with which GCM authenticates.
 */
final class Identity {

  private static final byte[] BLOCK_LABEL = ascii("ledgerkeep token key block 1");
  private static final byte[] LABEL = ascii("ledgerkeep token key identity 1");
  private static final byte[] GCM_LABEL = ascii("ledgerkeep token key identity by GCM 1");

  /** Whole blocks, for codes made by CBC, and unlike the data of any part. */
  private static final byte[] CODE_LABEL = ascii("ledgerkeep token code identity 1");

  private static final byte[] NOTHING = new byte[0];

  private final CipherSuite hash;
  private final byte[] block;

  /** Computes identities with the hash of the suite. */
  Identity(CipherSuite hash) {
    this.hash = hash;
    this.block = Arrays.copyOf(hash.mac(BLOCK_LABEL, NOTHING), TokenKey.BLOCK_BYTES);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Returns the identity of the key.
   *
   * @throws ConfigurationException if the token can compute nothing that is the same each time
   * @throws TokenException if the token failed
   */
  Bytes of(TokenKey key) {
    Abilities abilities = key.abilities();
    if (abilities.has(Mode.ECB)) {
      return Bytes.wrap(hash.mac(LABEL, key.encryptEcb(block.clone())));
    }
    byte[] out = new byte[TokenKey.BLOCK_BYTES + TokenKey.TAG_BYTES];
    if (abilities.has(Mode.CBC)) {
      key.encryptCbc(new byte[TokenKey.BLOCK_BYTES], block, 0, block.length, out, 0);
      return Bytes.wrap(hash.mac(LABEL, Arrays.copyOf(out, TokenKey.BLOCK_BYTES)));
    }
    // Always the same text under this IV, so that it gives away nothing when it comes again.
    byte[] reserved = Arrays.copyOf(hash.mac(GCM_LABEL, NOTHING), TokenKey.GCM_IV_BYTES);
    byte[] iv = reserved.clone();
    key.encryptGcm(iv, NOTHING, block, 0, block.length, out, 0);
    if (!Arrays.equals(iv, reserved)) {
      throw new ConfigurationException(
          "a token that makes the IVs of GCM itself, and has neither ECB nor CBC, cannot show which"
              + " key it uses");
    }
    return Bytes.wrap(hash.mac(GCM_LABEL, out));
  }

  /**
   * Returns the identity of two keys that are used together: what one encrypts, the other
   * authenticates.
   *
   * @param key the identity of the key that encrypts
   * @throws TokenException if the token failed
   */
  Bytes with(Bytes key, TokenKey macKey) {
    byte[] code = macKey.mac(CODE_LABEL.clone());
    byte[] both = Arrays.copyOf(key.toArray(), key.size() + code.length);
    System.arraycopy(code, 0, both, key.size(), code.length);
    return Bytes.wrap(hash.mac(CODE_LABEL, both));
  }
}
