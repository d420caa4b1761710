package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.EncryptorProvider;
import io.ledgerkeep.encryption.KeyWrapper;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;

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
    return new ArchiveKey(ledgerId, number, Keys.suites().named(suite), new Secret(root(seed)));
  }

  /** Returns key 1 of the archive of a ledger, alone, with the object that a holder has of it. */
  public static ArchiveKeys keys(Bytes ledgerId, int seed) {
    return keys(List.of(key(ledgerId, 1, AES_256, seed)));
  }

  /** Returns keys with the objects that a holder has of them. */
  public static ArchiveKeys keys(List<ArchiveKey> all) {
    return keys(all, all.stream().map(key -> held(key, "aes", Keys.AES)).toList());
  }

  /** Returns the keys, and one made since. */
  public static ArchiveKeys grown(ArchiveKeys before, ArchiveKey next) {
    List<ArchiveKey> all = new ArrayList<>(before.all());
    all.add(next);
    List<KeyObject> objects = new ArrayList<>(before.objects());
    objects.add(held(next, "aes", Keys.AES));
    return keys(all, objects);
  }

  private static ArchiveKeys keys(List<ArchiveKey> all, List<KeyObject> objects) {
    ArchiveKeys keys =
        ArchiveKeys.of(
            new ArchiveKeys.Registry() {
              @Override
              public List<KeyObject> objects() {
                return objects;
              }

              @Override
              public Set<Bytes> retired() {
                return Set.of();
              }

              @Override
              public void forgetRetired(Collection<Bytes> holders) {}

              @Override
              public boolean learn(KeyObject object) {
                return false;
              }
            });
    keys.show(all);
    return keys;
  }

  /** Returns the key as a holder of its own has it. */
  public static KeyObject held(ArchiveKey key, String provider, String master) {
    try (KeyWrapper wrapper = Keys.wrapper(provider, master);
        Holder holder = Holder.fresh(key.ledgerId(), "somebody", wrapper)) {
      return holder.object(key, Bytes.wrap(Secret.randomBytes()));
    }
  }

  /** Returns the keys as one holder has them. */
  public static List<KeyObject> heldByOne(List<ArchiveKey> keys, String provider, String master) {
    try (KeyWrapper wrapper = Keys.wrapper(provider, master);
        Holder holder = Holder.fresh(keys.get(0).ledgerId(), "somebody", wrapper)) {
      return keys.stream()
          .map(key -> holder.object(key, Bytes.wrap(Secret.randomBytes())))
          .toList();
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
