package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.Encryptor.Context;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.util.UUID;

/** A sound wrapper of keys, for others to break. */
class SampleWrapper implements KeyWrapper {

  private final SampleEncryptor encryptor;

  SampleWrapper(long number) {
    encryptor = new SampleEncryptor(number);
  }

  private static Context bound(byte[] context) {
    return new Context(new UUID(0, 0), "keys", Bytes.copyOf(context));
  }

  @Override
  public String suite() {
    encryptor.overheadBytes();
    return "SAMPLE";
  }

  @Override
  public String place() {
    encryptor.overheadBytes();
    return "memory";
  }

  @Override
  public byte[] wrap(byte[] secret, byte[] context) {
    return encryptor.seal(bound(context), Bytes.copyOf(secret)).toArray();
  }

  @Override
  public byte[] unwrap(byte[] wrapped, byte[] context) {
    try {
      return encryptor.open(bound(context), Bytes.copyOf(wrapped)).toArray();
    } catch (IntegrityException e) {
      throw new KeyUnavailableException(Reason.WRONG, "not this key");
    }
  }

  @Override
  public void confirm() {
    encryptor.overheadBytes();
  }

  @Override
  public void close() {
    encryptor.close();
  }
}
