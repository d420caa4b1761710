package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.Encryptor;

/** Hands everything on to a sound encryptor; what is to be broken overrides a method. */
class ForwardingEncryptor implements Encryptor {

  final Encryptor sound;

  ForwardingEncryptor(Encryptor sound) {
    this.sound = sound;
  }

  @Override
  public Bytes seal(Context context, Bytes value) {
    return sound.seal(context, value);
  }

  @Override
  public Bytes open(Context context, Bytes sealed) {
    return sound.open(context, sealed);
  }

  @Override
  public int overheadBytes() {
    return sound.overheadBytes();
  }

  @Override
  public void close() {
    sound.close();
  }
}
