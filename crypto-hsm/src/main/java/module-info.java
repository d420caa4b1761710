import io.ledgerkeep.crypto.hsm.Pkcs11Provider;
import io.ledgerkeep.encryption.EncryptorProvider;

/** Master keys in PKCS#11 tokens, found by ServiceLoader. */
module io.ledgerkeep.crypto.hsm {
  requires transitive io.ledgerkeep.api;
  requires org.slf4j;
  requires static com.sun.jna;
  requires static org.jspecify;

  exports io.ledgerkeep.crypto.hsm;

  // The suites in software, which seal what the token's key wraps.
  uses EncryptorProvider;

  provides EncryptorProvider with
      Pkcs11Provider;
}
