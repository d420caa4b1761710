package io.ledgerkeep.testkit;

import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.testkit.contract.EncryptorContract;
import java.nio.file.Path;

/** The encryptor for tests keeps the rules of encryptors. */
final class SampleEncryptorTest extends EncryptorContract {

  @Override
  protected Encryptor open(Path place) {
    return new SampleEncryptor(place.toString().hashCode());
  }
}
