package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The keys that an archive is written and read with. Those of a ledger that is open follow its
 * registry: a key made meanwhile is there at once. Serves any number of threads.
 */
public final class ArchiveKeys implements AutoCloseable {

  /** No key was given: what is written is in plain, and only what is in plain is read. */
  public static final ArchiveKeys NONE =
      new ArchiveKeys(false, List.of(), Optional.empty(), Optional.empty());

  private final boolean given;
  private final Optional<Registry> registry;

  /** Closed with the keys. */
  private final Optional<DeviceKeys> devices;

  /** Replaced whole by {@link #show}. */
  private volatile NavigableMap<Integer, ArchiveKey> byNumber;

  private ArchiveKeys(
      boolean given,
      List<ArchiveKey> keys,
      Optional<Registry> registry,
      Optional<DeviceKeys> devices) {
    this.given = given;
    this.registry = registry;
    this.devices = devices;
    this.byNumber = byNumber(keys);
  }

  /** Who says which objects an archive has to have. Serves any number of threads. */
  interface Registry {

    /** Returns the objects of all keys for all holders. */
    List<KeyObject> objects();

    /** Returns the former holders whose objects may still be in the archive. */
    Set<Bytes> retired();

    /** Notes that nothing of the former holders is in the archive. */
    void forgetRetired(Collection<Bytes> holders);

    /** Takes over the next key, if the object gives it to the ledger itself. */
    boolean learn(KeyObject object);
  }

  /**
   * Returns keys under which everything has to be sealed; they are closed together. Where there are
   * none, nothing can be written or read, in plain neither.
   */
  public static ArchiveKeys of(List<ArchiveKey> keys) {
    return new ArchiveKeys(true, keys, Optional.empty(), Optional.empty());
  }

  /** Returns the same of keys some of which may be sealed under in a device. */
  static ArchiveKeys of(List<ArchiveKey> keys, DeviceKeys devices) {
    return new ArchiveKeys(true, keys, Optional.empty(), Optional.of(devices));
  }

  /** Returns the keys of a registry, which shows them. */
  static ArchiveKeys of(Registry registry) {
    return new ArchiveKeys(true, List.of(), Optional.of(registry), Optional.empty());
  }

  /** Takes the keys of the registry over. */
  void show(List<ArchiveKey> keys) {
    byNumber = byNumber(keys);
  }

  private static NavigableMap<Integer, ArchiveKey> byNumber(List<ArchiveKey> keys) {
    NavigableMap<Integer, ArchiveKey> sorted = new TreeMap<>();
    keys.forEach(key -> sorted.put(key.number(), key));
    return sorted;
  }

  /** Returns whether everything has to be sealed. */
  public boolean areGiven() {
    return given;
  }

  /** Returns all keys, in the order of their numbers. */
  public List<ArchiveKey> all() {
    return List.copyOf(byNumber.values());
  }

  /**
   * Returns the key that new segments and entries are sealed under, or empty where they are in
   * plain.
   *
   * @throws ConfigurationException if they are not, and there is no key
   */
  public Optional<ArchiveKey> newest() {
    if (!given) {
      return Optional.empty();
    }
    Map.Entry<Integer, ArchiveKey> last = byNumber.lastEntry();
    if (last == null) {
      throw new ConfigurationException(
          "an encryptor that was handed in has no key for archives, and this ledger's are not"
              + " written in plain; make a ledger with a key of its own (encryptor and encrypt_key)");
    }
    return Optional.of(last.getValue());
  }

  /**
   * Takes over the next key from an object of the archive that is the ledger's own: a registry that
   * was put back from a copy does not have the keys made since. Returns whether it did.
   *
   * @throws IntegrityException if the object is not as it was written
   */
  public boolean learn(KeyObject object) {
    return registry.isPresent() && registry.get().learn(object);
  }

  /** Returns whether there is a key of the number. */
  public boolean has(int number) {
    return byNumber.containsKey(number);
  }

  /**
   * Returns the key of the number.
   *
   * @param what is sealed under it, for the message
   * @throws KeyUnavailableException if it is not there
   */
  public ArchiveKey required(int number, String what) {
    ArchiveKey key = byNumber.get(number);
    if (key != null) {
      return key;
    }
    throw new KeyUnavailableException(Reason.MISSING, what + " is encrypted" + remedy(number));
  }

  private String remedy(int number) {
    if (!given) {
      return "; open the archive with its key (encryptor and encrypt_key)";
    }
    return registry.isPresent()
        ? " under archive key %s, which the ledger's registry does not have: it is older than the archive; put the newer KEYS back, or open the archive alone with the master key"
            .formatted(number)
        : " under archive key %s, which the key given does not open; open the archive again if that key was made since, or give the key of a holder who has it"
            .formatted(number);
  }

  /** Returns whether it is known which objects the archive has to have. */
  public boolean knowHolders() {
    return registry.isPresent();
  }

  /** Returns the objects that the archive has to have, as far as that is known. */
  public List<KeyObject> objects() {
    return registry.map(Registry::objects).orElse(List.of());
  }

  /** Returns the former holders of whom nothing may be in the archive. */
  public Set<Bytes> retiredHolders() {
    return registry.map(Registry::retired).orElse(Set.of());
  }

  /** Notes that nothing of the former holders is in the archive; durable on return. */
  public void forgetRetired(Collection<Bytes> holders) {
    registry.ifPresent(known -> known.forgetRetired(holders));
  }

  /** Wipes the keys as far as they can be reached; closing twice does nothing. */
  @Override
  public void close() {
    byNumber.values().forEach(ArchiveKey::close);
    devices.ifPresent(DeviceKeys::close);
  }

  @Override
  public String toString() {
    return given ? byNumber.values().toString() : "no keys";
  }
}
