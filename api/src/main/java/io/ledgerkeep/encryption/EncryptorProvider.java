package io.ledgerkeep.encryption;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.util.List;

/**
 * Brings the cipher suites of one algorithm, and opens master keys for them. Found by {@link
 * java.util.ServiceLoader}; holds no key, does no work before it is asked, and serves any number of
 * threads.
 */
public interface EncryptorProvider {

  /** Returns the name used in configuration: {@code aes}, {@code sm4}. */
  String name();

  /**
   * Returns its suites, proven by known answers.
   *
   * @throws IllegalStateException if a known answer does not come out; nothing may be encrypted
   *     then
   */
  List<CipherSuite> suites();

  /**
   * Opens the master key that the options name. Nothing is changed where the key lies.
   *
   * @throws ConfigurationException if an option is unknown, or the key is malformed, ambiguous, of
   *     a wrong length, known from documents, or too openly kept
   * @throws KeyUnavailableException if the key cannot be read
   */
  KeyWrapper openKey(Options options);
}
