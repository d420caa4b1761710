package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;

/** Archive keys that anybody can guess, for tests. */
public final class SampleArchiveKeys {

  public static final String AES_256 = "AES-256-GCM";

  private SampleArchiveKeys() {}

  /** Returns the names of all suites. */
  public static List<String> suites() {
    return Keys.providers().stream()
        .map(EncryptorProvider::suites)
        .flatMap(List::stream)
        .map(CipherSuite::name)
        .toList();
  }

  /** Returns the root secret of the key of a seed. */
  public static byte[] root(int seed) {
    byte[] root = new byte[Secret.BYTES];
    Arrays.fill(root, (byte) seed);
    return root;
  }

  /** Returns a key of the archive of a ledger. */
  public static ArchiveKey key(Bytes ledgerId, int number, String suite, int seed) {
    try (KeyWrapper wrapper = Keys.wrapper("aes", Keys.AES)) {
      CipherSuite found = Keys.suites().named(suite);
      WrappedKey wrapped = ArchiveKey.fresh(ledgerId, number, found, wrapper).wrapped();
      return new ArchiveKey(ledgerId, found, new Secret(root(seed)), wrapped);
    }
  }

  /** Returns key 1 of the archive of a ledger, alone. */
  public static ArchiveKeys keys(Bytes ledgerId, int seed) {
    return ArchiveKeys.of(List.of(key(ledgerId, 1, AES_256, seed)));
  }

  /** Returns the same key under another master key. */
  public static WrappedKey held(Bytes ledgerId, ArchiveKey key, String provider, String master) {
    try (KeyWrapper wrapper = Keys.wrapper(provider, master)) {
      byte[] context =
          new ByteWriter(64)
              .raw(Bytes.ofUtf8("ledgerkeep archive key 1"))
              .u32(key.suite().id())
              .raw(ledgerId)
              .u32(key.number())
              .take()
              .toArray();
      return new WrappedKey(
          key.number(),
          key.suite().name(),
          WrappedKey.newHolder(),
          Bytes.wrap(wrapper.wrap(key.root().toArray(), context)));
    }
  }

  /** Opens the registry of a ledger that is encrypted. */
  public static EpochEncryptor encryptor(Path directory, String provider, String master) {
    try (KeyWrapper wrapper = Keys.wrapper(provider, master)) {
      return new EpochEncryptor(
          Keyring.open(directory, wrapper, Keys.suites(), Clock.systemUTC()).get(0));
    }
  }

  /** Opens a master key. */
  public static KeyWrapper wrapper(String provider, String master) {
    return Keys.wrapper(provider, master);
  }

  /** Returns the suites at hand. */
  public static Suites atHand() {
    return Keys.suites();
  }
}
