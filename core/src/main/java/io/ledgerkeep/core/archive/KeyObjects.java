package io.ledgerkeep.core.archive;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.sealing.ArchiveKey;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.KeyObject;
import io.ledgerkeep.core.sealing.KeyOpener;
import io.ledgerkeep.core.sealing.Suites;
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
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The objects of an archive that hold its keys, each for one holder: whoever has the master key of
 * one opens the archive without the node.
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
   * Makes the objects what they have to be: writes those that are not there or not as they were
   * written, then removes those of former holders. Whatever instant it dies at, the next run goes
   * on. Those of holders that nobody knows are left alone.
   *
   * @return the former holders of whom nothing is left
   */
  public Set<Bytes> reconcile(ArchiveKeys keys) {
    Set<String> there = Set.copyOf(store.list(names.keys()));
    for (KeyObject object : keys.objects()) {
      String name = names.key(object);
      if (there.contains(name) && !isSound(object)) {
        LOG.warn(
            "key object {} in {} is not as it was written; it is replaced", name, store.place());
        store.delete(name);
        FailPoint.pass("keys.removed");
        put(name, encode(object));
      } else if (!there.contains(name)) {
        put(name, encode(object));
      }
      FailPoint.pass("keys.written");
    }
    return removeRetired(keys);
  }

  /**
   * Removes the objects of former holders from an archive, which may have nothing else.
   *
   * @return the former holders of whom nothing is left
   */
  public Set<Bytes> removeRetired(ArchiveKeys keys) {
    Set<Bytes> retired = keys.retiredHolders();
    if (retired.isEmpty()) {
      return retired;
    }
    for (String name : objects()) {
      if (retired.contains(names.holder(name))) {
        store.delete(name);
        FailPoint.pass("keys.dropped");
      }
    }
    return retired;
  }

  /**
   * Gives the ledger the keys that its registry, put back from a copy, does not have. Returns
   * whether there was any.
   */
  public boolean teach(ArchiveKeys keys) {
    boolean any = false;
    for (KeyObject object : all()) {
      any |= keys.learn(object);
    }
    return any;
  }

  /** Returns all objects, in the order of the numbers of their keys. */
  public List<KeyObject> all() {
    return objects().stream().map(name -> decode(name, read(name))).toList();
  }

  /** Returns whether the object is there as it has to be. */
  private boolean isSound(KeyObject object) {
    try {
      return read(names.key(object)).equals(encode(object));
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
    KeyOpener opener = new KeyOpener(names.ledgerId(), wrapper, suites);
    try (opener) {
      for (String name : objects) {
        try {
          open(name, opener, opened);
        } catch (IntegrityException | ConfigurationException | UnsupportedFormatException e) {
          LOG.warn("{}; it is passed over", e.getMessage());
          unusable.add(e);
        }
      }
      requireAny(opened, objects, unusable, wrapper);
      return opener.keys(List.copyOf(opened.values()));
    } catch (RuntimeException | Error e) {
      opened.values().forEach(ArchiveKey::close);
      opener.giveUp();
      throw e;
    }
  }

  private void requireAny(
      Map<Integer, ArchiveKey> opened,
      List<String> objects,
      List<LedgerkeepException> unusable,
      KeyWrapper wrapper) {
    if (opened.isEmpty() && !unusable.isEmpty()) {
      throw unusable.get(0);
    }
    if (opened.isEmpty() && !objects.isEmpty()) {
      throw new KeyUnavailableException(
          Reason.WRONG,
          "the key of %s unlocks none of the %s key objects of archive %s in %s; give that of a holder"
              .formatted(wrapper.place(), objects.size(), names.prefix(), store.place()));
    }
  }

  /** Passes over what is another holder's. */
  private void open(String name, KeyOpener opener, Map<Integer, ArchiveKey> opened) {
    KeyObject object = decode(name, read(name));
    if (!opened.containsKey(object.number())) {
      opener
          .open(object)
          .ifPresentOrElse(
              key -> opened.put(key.number(), key),
              () -> LOG.debug("key object {} is another holder's", name));
    }
  }

  /** Returns what is wrong with the objects, as far as it shows with the keys at hand. */
  List<String> findings(Set<Integer> numbers, ArchiveKeys keys) {
    Set<Integer> missing = new TreeSet<>(numbers);
    List<String> findings = new ArrayList<>();
    List<String> there = objects();
    for (String name : there) {
      try {
        missing.remove(decode(name, read(name)).number());
      } catch (IntegrityException | UnsupportedFormatException e) {
        findings.add(String.valueOf(e.getMessage()));
      }
    }
    if (keys.knowHolders()) {
      findings.addAll(comparedWithRegistry(there, missing, keys));
    }
    for (int number : missing) {
      findings.add(
          "no key object of archive key %s is in %s: without the node nobody can open what is sealed under it"
              .formatted(number, store.place()));
    }
    return findings;
  }

  private List<String> comparedWithRegistry(
      List<String> there, Set<Integer> missing, ArchiveKeys keys) {
    List<String> findings = new ArrayList<>();
    Set<String> expected = new TreeSet<>();
    for (KeyObject object : keys.objects()) {
      String name = names.key(object);
      expected.add(name);
      if (!missing.contains(object.number()) && !isSound(object)) {
        findings.add(
            "key object %s in %s is missing, or not as it was written; ledgerkeep tde reencrypt puts it right"
                .formatted(name, store.place()));
      }
    }
    for (String name : there) {
      if (keys.retiredHolders().contains(names.holder(name))) {
        findings.add(
            "key object %s in %s is one of a former holder; ledgerkeep tde reencrypt removes it"
                .formatted(name, store.place()));
      } else if (!expected.contains(name)) {
        findings.add(
            "key object %s in %s is of a holder that the ledger does not know; remove it if it was put there, or put the newest registry of keys back if that was lost"
                .formatted(name, store.place()));
      }
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

  static Bytes encode(KeyObject object) {
    return StrictJson.write(
        json -> {
          json.writeNumberField("format", FORMAT);
          json.writeNumberField("key", object.number());
          json.writeStringField("suite", object.suite());
          if (object.device().isPresent()) {
            json.writeNumberField("directSuite", object.device().get().suite());
            json.writeStringField("deviceKey", object.device().get().key().hex());
          }
          json.writeStringField("holder", object.holder().hex());
          json.writeStringField("name", object.name());
          json.writeStringField("wrapped", object.wrapped().hex());
          json.writeStringField("salt", object.salt().hex());
          json.writeStringField("root", object.root().hex());
        });
  }

  /** Reads an object; the name says number and holder too, and has to say the same. */
  private KeyObject decode(String name, Bytes bytes) {
    StrictJson fields = new StrictJson("key object " + name, bytes);
    long format = fields.number("format");
    if (format != FORMAT) {
      throw new UnsupportedFormatException(
          "key object %s has format %s; this release knows %s".formatted(name, format, FORMAT));
    }
    KeyObject object =
        new KeyObject(
            fields.keyNumber("key"),
            fields.text("suite"),
            fields.has("directSuite") ? Optional.of(device(fields)) : Optional.empty(),
            fields.hex("holder"),
            fields.text("name"),
            fields.hex("wrapped"),
            fields.hex("salt"),
            fields.hex("root"));
    fields.end();
    if (!encode(object).equals(bytes) || !names.key(object).equals(name)) {
      throw fields.damaged("it is not written as key objects are");
    }
    return object;
  }

  private static KeyObject.Device device(StrictJson fields) {
    long suite = fields.number("directSuite");
    if (suite < 1 || suite > 65_535) {
      throw fields.damaged("there is no suite " + suite);
    }
    return new KeyObject.Device((int) suite, fields.hex("deviceKey"));
  }
}
