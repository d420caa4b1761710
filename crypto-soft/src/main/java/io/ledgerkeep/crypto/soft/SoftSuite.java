package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.encryption.CipherSuite;
import java.util.function.Function;
import java.util.function.Supplier;

/** A suite made of a cipher and a hash. */
record SoftSuite(
    int id, String name, int keyBytes, Function<byte[], GcmCipher> cipher, Supplier<Hash> hash)
    implements CipherSuite {

  @Override
  public Aead aead(byte[] key) {
    if (key.length != keyBytes) {
      throw new IllegalArgumentException(
          name + " takes keys of " + keyBytes + " bytes, not of " + key.length);
    }
    return new PooledAead(key.clone(), cipher);
  }

  @Override
  public byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
    return Hkdf.derive(hash, secret, salt, info, bytes);
  }

  @Override
  public byte[] mac(byte[] key, byte[] data) {
    try (Hmac hmac = new Hmac(hash, key)) {
      return hmac.update(data).finish();
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
