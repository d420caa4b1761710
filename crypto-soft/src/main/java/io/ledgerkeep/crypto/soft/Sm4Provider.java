package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.util.List;

/**
 * SM4-GCM with SM3 under the name {@code sm4}: by the system's libgcrypt where it is there and
 * computes rightly, else by Bouncy Castle. Both give the same bytes.
 */
public final class Sm4Provider implements EncryptorProvider {

  /** Creates the provider; it holds nothing. */
  public Sm4Provider() {}

  @Override
  public String name() {
    return "sm4";
  }

  @Override
  public List<CipherSuite> suites() {
    return Sm4Suites.proven();
  }

  @Override
  public KeyWrapper openKey(Options options) {
    return MasterKeys.open(options, "SM4", suites());
  }
}
