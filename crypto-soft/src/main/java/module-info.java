import io.ledgerkeep.crypto.soft.AesProvider;
import io.ledgerkeep.crypto.soft.Sm4Provider;
import io.ledgerkeep.encryption.EncryptorProvider;

/** Encryption in software, found by ServiceLoader. */
module io.ledgerkeep.crypto.soft {
  requires io.ledgerkeep.api;
  requires org.bouncycastle.provider;
  requires org.slf4j;
  requires static com.sun.jna;
  requires static org.jspecify;

  provides EncryptorProvider with
      AesProvider,
      Sm4Provider;
}
