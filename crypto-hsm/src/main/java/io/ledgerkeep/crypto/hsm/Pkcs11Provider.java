package io.ledgerkeep.crypto.hsm;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.util.List;

/**
 * Master keys in PKCS#11 tokens, under the name {@code pkcs11}; docs/security.md has the options.
 * Brings no suite that could be used without a token.
 */
public final class Pkcs11Provider implements EncryptorProvider {

  private final Pkcs11Keys keys;

  /** Creates the provider; it holds nothing, and takes the PIN from the options. */
  public Pkcs11Provider() {
    this(Pkcs11Keys.withPinInOptions());
  }

  Pkcs11Provider(Pkcs11Keys keys) {
    this.keys = keys;
  }

  @Override
  public String name() {
    return "pkcs11";
  }

  @Override
  public List<CipherSuite> suites() {
    return List.of();
  }

  @Override
  public KeyWrapper openKey(Options options) {
    return keys.open(options);
  }
}
