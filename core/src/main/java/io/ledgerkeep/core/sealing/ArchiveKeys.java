package io.ledgerkeep.core.sealing;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The keys that an archive is written and read with. Serves any number of threads. */
public final class ArchiveKeys implements AutoCloseable {

  /** No key was given: what is written is in plain, and only what is in plain is read. */
  public static final ArchiveKeys NONE = new ArchiveKeys(false, List.of());

  private final boolean given;
  private final TreeMap<Integer, ArchiveKey> byNumber = new TreeMap<>();

  private ArchiveKeys(boolean given, List<ArchiveKey> keys) {
    this.given = given;
    keys.forEach(key -> byNumber.put(key.number(), key));
  }

  /**
   * Returns keys under which everything has to be sealed; they are closed together. Where there are
   * none, nothing can be written or read, in plain neither.
   */
  public static ArchiveKeys of(List<ArchiveKey> keys) {
    return new ArchiveKeys(true, keys);
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
    throw new KeyUnavailableException(
        Reason.MISSING,
        given
            ? "%s is encrypted under archive key %s, which the key given does not open; give that of a holder who has it"
                .formatted(what, number)
            : "%s is encrypted; open the archive with its key (encryptor and encrypt_key)"
                .formatted(what));
  }

  /** Wipes the keys as far as they can be reached; closing twice does nothing. */
  @Override
  public void close() {
    byNumber.values().forEach(ArchiveKey::close);
  }

  @Override
  public String toString() {
    return given ? byNumber.values().toString() : "no keys";
  }
}
