package io.ledgerkeep.crypto.outside;

import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** A program that uses whatever encryption it finds. */
final class Sealing {

  private Sealing() {}

  public static void main(String[] arguments) {
    TreeMap<String, EncryptorProvider> providers = new TreeMap<>();
    ServiceLoader.load(EncryptorProvider.class).forEach(p -> providers.put(p.name(), p));
    providers.values().forEach(Sealing::use);
  }

  private static void use(EncryptorProvider provider) {
    String module = String.valueOf(provider.getClass().getModule().getName());
    Options options = Options.of("key", "hex:00112233445566778899aabbccddeeff");
    try (KeyWrapper wrapper = provider.openKey(options)) {
      byte[] wrapped = wrapper.wrap(new byte[32], new byte[0]);
      System.out.println(module + " " + wrapper.suite() + " " + wrapped.length);
      wrapper.unwrap(wrapped, new byte[0]);
    }
    for (CipherSuite suite : provider.suites()) {
      try (Aead aead = suite.aead(new byte[suite.keyBytes()])) {
        aead.seal(new byte[12], new byte[0], new byte[32], 0, 16);
      }
    }
  }
}
