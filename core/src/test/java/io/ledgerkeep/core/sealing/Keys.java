package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Options;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.ServiceLoader;

/** Master keys and registries for tests. */
public final class Keys {

  public static final String AES =
      "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  public static final String OTHER_AES =
      "hex:f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  public static final String SM4 = "hex:0f1e2d3c4b5a69788796a5b4c3d2e1f0";
  public static final Bytes LEDGER = Bytes.fromHex("00112233445566778899aabbccddeeff");

  /** The smallest limits of an engine that an encrypted ledger can be on. */
  public static final StorageEngine.Limits SMALLEST_LIMITS =
      new StorageEngine.Limits(40 << 10, (64 << 10) + 28, 106 << 10, 17);

  private Keys() {}

  static List<EncryptorProvider> providers() {
    return ServiceLoader.load(EncryptorProvider.class).stream()
        .map(ServiceLoader.Provider::get)
        .toList();
  }

  public static Suites suites() {
    return new Suites(providers());
  }

  /** Returns the suite of the name. */
  public static CipherSuite suite(String name) {
    return suites().named(name);
  }

  /** Returns the wrapper of a master key of {@code aes} or {@code sm4}. */
  public static KeyWrapper wrapper(String provider, String key) {
    return providers().stream()
        .filter(found -> found.name().equals(provider))
        .findFirst()
        .orElseThrow()
        .openKey(Options.of("key", key));
  }

  /** Opens the registry of a directory, made where there is none. */
  public static Keyring keyring(Path directory, String provider, String key) {
    return keyring(directory, provider, key, Clock.systemUTC());
  }

  static Keyring keyring(Path directory, String provider, String key, Clock clock) {
    try (KeyWrapper wrapper = wrapper(provider, key)) {
      if (Keyring.head(directory).isEmpty()) {
        Files.createDirectories(directory);
        Keyring.create(directory, LEDGER, "chain1", wrapper, suites(), clock, List.of());
      }
      List<Keyring> opened = Keyring.open(directory, wrapper, suites(), clock);
      opened.subList(1, opened.size()).forEach(Keyring::close);
      opened.get(0).repairCopies();
      return opened.get(0);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
