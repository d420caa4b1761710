package io.ledgerkeep.crypto.soft;

import java.io.NotSerializableException;
import java.io.ObjectOutputStream;
import javax.crypto.SecretKey;

/** Shows a key to a cipher without another copy that would have to be wiped. */
final class AesKey implements SecretKey {

  private final transient byte[] key;

  AesKey(byte[] key) {
    this.key = key;
  }

  int length() {
    return key.length;
  }

  @Override
  public String getAlgorithm() {
    return "AES";
  }

  @Override
  public String getFormat() {
    return "RAW";
  }

  @Override
  public byte[] getEncoded() {
    return key.clone();
  }

  private void writeObject(ObjectOutputStream out) throws NotSerializableException {
    throw new NotSerializableException("a key");
  }

  @Override
  public String toString() {
    return "AesKey";
  }
}
