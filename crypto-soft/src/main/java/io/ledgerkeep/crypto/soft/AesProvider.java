package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.util.List;

/** AES-GCM with SHA-256, by the ciphers of the JVM, under the name {@code aes}. */
public final class AesProvider implements EncryptorProvider {

  /** Creates the provider; it holds nothing. */
  public AesProvider() {}

  @Override
  public String name() {
    return "aes";
  }

  @Override
  public List<CipherSuite> suites() {
    return AesSuites.proven();
  }

  @Override
  public KeyWrapper openKey(Options options) {
    return MasterKeys.open(options, "AES", suites());
  }
}
