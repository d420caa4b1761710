package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.error.ConfigurationException;
import java.util.ServiceLoader;

/**
 * The suites in software that a token's key works together with: they seal what it wraps, and give
 * hash and derivation. Whoever brings them is found by ServiceLoader.
 */
final class SoftwareSuites {

  private SoftwareSuites() {}

  /**
   * Returns the suite for keys of the algorithm and this length.
   *
   * @throws ConfigurationException if nothing at hand brings it
   */
  static CipherSuite of(Algorithm algorithm, int keyBytes) {
    String name = algorithm.suite(keyBytes);
    ClassLoader loader = SoftwareSuites.class.getClassLoader();
    for (EncryptorProvider provider : ServiceLoader.load(EncryptorProvider.class, loader)) {
      if (provider.name().equals(algorithm.encryptor())) {
        for (CipherSuite suite : provider.suites()) {
          if (suite.name().equals(name)) {
            return suite;
          }
        }
      }
    }
    throw new ConfigurationException(
        "the suite "
            + name
            + " is needed beside a token: put ledgerkeep-crypto-soft, or whatever has an encryptor"
            + " '"
            + algorithm.encryptor()
            + "', on the class path or module path");
  }
}
