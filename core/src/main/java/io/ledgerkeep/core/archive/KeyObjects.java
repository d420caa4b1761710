package io.ledgerkeep.core.archive;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.Suites;
import io.ledgerkeep.core.sealing.WrappedKey;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of an archive that hold its keys, each wrapped under the master key of one holder:
 * whoever has one of those opens the archive without the node.
 */
public final class KeyObjects {

  private static final Logger LOG = LoggerFactory.getLogger(KeyObjects.class);
  private static final int FORMAT = 1;

  private final ArchiveStore store;
  private final ArchiveNames names;

  /** Looks at the keys of an archive. */
  public KeyObjects(ArchiveStore store, ArchiveNames names) {
    this.store = store;
    this.names = names;
  }

  /**
   * Writes the objects of keys that are not there, or not as they were written; durable and read
   * back on return.
   */
  public void putMissing(ArchiveKeys keys) {
    Set<String> there = Set.copyOf(store.list(names.keys()));
    for (ArchiveKey key : keys.all()) {
      String name = names.key(key.wrapped());
      if (there.contains(name) && !isSound(key)) {
        LOG.warn(
            "key object {} in {} is not as it was written; it is replaced", name, store.place());
        store.delete(name);
      }
      if (!there.contains(name) || store.size(name).isEmpty()) {
        put(name, encode(key.wrapped()));
      }
    }
  }

  /** Returns whether the object of a key is as the ledger that has the key wrote it. */
  private boolean isSound(ArchiveKey key) {
    try {
      return read(names.key(key.wrapped())).equals(encode(key.wrapped()));
    } catch (IntegrityException e) {
      return false; // missing or too large
    }
  }

  private void put(String name, Bytes bytes) {
    store.put(name, bytes::writeTo);
    if (!read(name).equals(bytes)) {
      store.delete(name);
      throw new IntegrityException(
          "key object %s in %s read back otherwise than it was written, and was removed"
              .formatted(name, store.place()));
    }
  }

  /**
   * Opens the keys that the master key unlocks; the caller closes them. What is damaged, or of a
   * suite or format that is not at hand, may have a twin that serves.
   *
   * @throws KeyUnavailableException if there are keys, and it unlocks none
   * @throws LedgerkeepException if it unlocks none, and may only because some cannot be read
   */
  public ArchiveKeys open(KeyWrapper wrapper, Suites suites) {
    Map<Integer, ArchiveKey> opened = new TreeMap<>();
    List<String> objects = objects();
    List<LedgerkeepException> unusable = new ArrayList<>();
    try {
      for (String name : objects) {
        try {
          open(name, wrapper, suites, opened);
        } catch (IntegrityException | ConfigurationException | UnsupportedFormatException e) {
          LOG.warn("{}; it is passed over", e.getMessage());
          unusable.add(e);
        }
      }
    } catch (RuntimeException | Error e) {
      opened.values().forEach(ArchiveKey::close);
      throw e;
    }
    if (opened.isEmpty() && !unusable.isEmpty()) {
      throw unusable.get(0);
    }
    if (opened.isEmpty() && !objects.isEmpty()) {
      throw new KeyUnavailableException(
          Reason.WRONG,
          "the key of %s unlocks none of the %s key objects of archive %s in %s; give that of a holder"
              .formatted(wrapper.place(), objects.size(), names.prefix(), store.place()));
    }
    return ArchiveKeys.of(List.copyOf(opened.values()));
  }

  /** Passes over what is another holder's. */
  private void open(
      String name, KeyWrapper wrapper, Suites suites, Map<Integer, ArchiveKey> opened) {
    try {
      WrappedKey wrapped = decode(name, read(name));
      if (!opened.containsKey(wrapped.number())) {
        opened.put(wrapped.number(), ArchiveKey.open(names.ledgerId(), wrapped, wrapper, suites));
      }
    } catch (KeyUnavailableException e) {
      if (e.reason() != Reason.WRONG) {
        throw e;
      }
      LOG.debug("key object {} is another holder's", name);
    }
  }

  /** Returns what is wrong with the objects, as far as it shows with the keys at hand. */
  List<String> findings(Set<Integer> numbers, ArchiveKeys keys) {
    Set<Integer> missing = new TreeSet<>(numbers);
    List<String> findings = new ArrayList<>();
    for (String name : objects()) {
      try {
        missing.remove(decode(name, read(name)).number());
      } catch (IntegrityException | UnsupportedFormatException e) {
        findings.add(String.valueOf(e.getMessage()));
      }
    }
    for (ArchiveKey key : keys.all()) {
      if (!missing.contains(key.number()) && !isSound(key)) {
        findings.add(
            "key object %s in %s is missing, or not as it was written; the next archive run puts it right"
                .formatted(names.key(key.wrapped()), store.place()));
      }
    }
    for (int number : missing) {
      findings.add(
          "no key object of archive key %s is in %s: without the node nobody can open what is sealed under it"
              .formatted(number, store.place()));
    }
    return findings;
  }

  private List<String> objects() {
    return store.list(names.keys()).stream().filter(names::isKey).toList();
  }

  private Bytes read(String name) {
    OptionalLong size = store.size(name);
    if (size.isEmpty() || size.getAsLong() > StrictJson.MAX_BYTES) {
      throw new IntegrityException(
          "key object %s in %s is missing or too large".formatted(name, store.place()));
    }
    return store.get(name, 0, (int) size.getAsLong());
  }

  static Bytes encode(WrappedKey key) {
    return StrictJson.write(
        json -> {
          json.writeNumberField("format", FORMAT);
          json.writeNumberField("key", key.number());
          json.writeStringField("suite", key.suite());
          json.writeStringField("holder", key.holder().hex());
          json.writeStringField("wrapped", key.wrapped().hex());
        });
  }

  /** Reads an object; the name says number and holder too, and has to say the same. */
  private WrappedKey decode(String name, Bytes bytes) {
    StrictJson fields = new StrictJson("key object " + name, bytes);
    long format = fields.number("format");
    if (format != FORMAT) {
      throw new UnsupportedFormatException(
          "key object %s has format %s; this release knows %s".formatted(name, format, FORMAT));
    }
    WrappedKey key =
        new WrappedKey(
            fields.keyNumber("key"),
            fields.text("suite"),
            fields.hex("holder"),
            fields.hex("wrapped"));
    fields.end();
    if (!encode(key).equals(bytes) || !names.key(key).equals(name)) {
      throw fields.damaged("it is not written as key objects are");
    }
    return key;
  }
}
