package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What the registry says of the archive: its keys, who holds them, and who no longer does. A change
 * makes another section, which shares with this one what both have.
 *
 * @param holders the ledger itself first
 * @param keys in the order of their numbers, which count from 1
 * @param retired the former holders whose objects may still be in the archive
 */
record ArchiveSection(List<Holder> holders, List<Key> keys, List<Bytes> retired) {

  /**
   * A key of the archive.
   *
   * @param salt drawn with the key: every holder's object is sealed with it
   * @param exposed whether somebody may know it
   */
  record Key(ArchiveKey key, Bytes salt, boolean exposed) {

    static Key fresh(Bytes ledgerId, int number, CipherSuite suite) {
      ArchiveKey key = new ArchiveKey(ledgerId, number, suite, Secret.random());
      return new Key(key, Bytes.wrap(Secret.randomBytes()), false);
    }

    LedgerKeys.ArchiveKey shown() {
      return new LedgerKeys.ArchiveKey(key.number(), key.suite().name(), exposed);
    }
  }

  /** What {@link #writeTo} takes at most for each key and retired holder. */
  private static final int ENTRY_BYTES = 96;

  /** The highest number that the names of objects have room for. */
  private static final int MAX_KEYS = 99_999_999;

  ArchiveSection {
    holders = List.copyOf(holders);
    keys = List.copyOf(keys);
    retired = List.copyOf(retired);
  }

  static ArchiveSection empty() {
    return new ArchiveSection(List.of(), List.of(), List.of());
  }

  /** Returns what a new ledger has: one key, held by the ledger itself. */
  static ArchiveSection fresh(Bytes ledgerId, CipherSuite suite, KeyWrapper wrapper) {
    return new ArchiveSection(
        List.of(Holder.fresh(ledgerId, Holder.OWN_NAME, wrapper)),
        List.of(Key.fresh(ledgerId, 1, suite)),
        List.of());
  }

  // ------------------------------------------------------------------------------------ changes

  ArchiveSection withHolder(Holder holder) {
    if (holders.stream().anyMatch(known -> known.name().equals(holder.name()))) {
      throw new ConfigurationException(
          "there is a holder named '%s' already; choose another name".formatted(holder.name()));
    }
    List<Holder> more = new ArrayList<>(holders);
    more.add(holder);
    return new ArchiveSection(more, keys, retired);
  }

  /** Retires a holder; the ledger itself can only be replaced. */
  ArchiveSection withoutHolder(Bytes id) {
    List<Holder> left = new ArrayList<>(holders);
    if (!left.removeIf(holder -> holder.id().equals(id))) {
      throw new ConfigurationException(
          "the archive has no holder %s; its holders are %s".formatted(id.hex(), holders));
    }
    if (holders.get(0).id().equals(id)) {
      throw new ConflictException(
          Reason.PROTECTED,
          "the ledger's own master key opens its archive and cannot be dropped; give the ledger"
              + " another master key (tde rewrap)");
    }
    return new ArchiveSection(left, keys, retiredWith(id));
  }

  /** Retires all holders but the ledger itself. */
  ArchiveSection alone() {
    List<Bytes> more = new ArrayList<>(retired);
    holders.stream().skip(1).map(Holder::id).forEach(more::add);
    return new ArchiveSection(holders.subList(0, 1), keys, more);
  }

  /** Puts another holder in the place of the ledger itself, which is retired. */
  ArchiveSection withOwn(Holder own) {
    List<Holder> next = new ArrayList<>(holders);
    Bytes before = next.set(0, own).id();
    return new ArchiveSection(next, keys, retiredWith(before));
  }

  private List<Bytes> retiredWith(Bytes id) {
    List<Bytes> more = new ArrayList<>(retired);
    more.add(id);
    return more;
  }

  ArchiveSection withNewKey(Bytes ledgerId, CipherSuite suite) {
    if (keys.size() == MAX_KEYS) {
      throw new ConflictException(Reason.PROTECTED, "the archive has all keys it can have");
    }
    return withKey(Key.fresh(ledgerId, keys.size() + 1, suite));
  }

  /** Adds the key of the next number. */
  ArchiveSection withKey(Key key) {
    List<Key> more = new ArrayList<>(keys);
    more.add(key);
    return new ArchiveSection(holders, more, retired);
  }

  /** Says of every key that somebody may know it. */
  ArchiveSection exposed() {
    List<Key> known = keys.stream().map(key -> new Key(key.key(), key.salt(), true)).toList();
    return new ArchiveSection(holders, known, retired);
  }

  ArchiveSection forgetting(Collection<Bytes> ids) {
    List<Bytes> left = retired.stream().filter(id -> !ids.contains(id)).toList();
    return new ArchiveSection(holders, keys, left);
  }

  // ------------------------------------------------------------------------------------ content

  List<ArchiveKey> archiveKeys() {
    return keys.stream().map(Key::key).toList();
  }

  /** Returns the objects that the archive has to have, each key for each holder. */
  List<KeyObject> objects() {
    List<KeyObject> objects = new ArrayList<>();
    for (Key key : keys) {
      holders.forEach(holder -> objects.add(holder.object(key.key(), key.salt())));
    }
    return objects;
  }

  /** Returns the suite of the newest key. */
  CipherSuite suite() {
    return keys.get(keys.size() - 1).key().suite();
  }

  /** Returns how many bytes {@link #writeTo} takes at most. */
  int encodedBytes() {
    int ofHolders = holders.stream().mapToInt(Holder::encodedBytes).sum();
    return 32 + ofHolders + ENTRY_BYTES * (keys.size() + retired.size());
  }

  void writeTo(ByteWriter out, DeviceKeys devices) {
    out.varint(holders.size());
    holders.forEach(holder -> holder.writeTo(out));
    out.varint(keys.size());
    for (Key key : keys) {
      out.varint(key.key().number());
      devices.writeSuite(out, key.key().suite());
      out.u8(key.exposed() ? 1 : 0);
      key.key().writeRootTo(out);
      out.raw(key.salt());
    }
    out.varint(retired.size());
    retired.forEach(out::raw);
  }

  static ArchiveSection readFrom(ByteReader in, Bytes ledgerId, DeviceKeys devices) {
    List<Holder> holders = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      holders.add(Holder.readFrom(in));
    }
    List<Key> keys = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      keys.add(key(in, ledgerId, devices));
    }
    List<Bytes> retired = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      retired.add(Bytes.copyOf(in.raw(Holder.ID_BYTES).toArray()));
    }
    return new ArchiveSection(holders, keys, retired);
  }

  private static Key key(ByteReader in, Bytes ledgerId, DeviceKeys devices) {
    int number = in.number();
    CipherSuite suite = devices.readSuite(in);
    boolean exposed = in.u8() != 0;
    Secret root = new Secret(in.raw(Secret.BYTES).toArray());
    Bytes salt = Bytes.copyOf(in.raw(Secret.BYTES).toArray());
    return new Key(new ArchiveKey(ledgerId, number, suite, root), salt, exposed);
  }

  /** Wipes what the other section does not have. */
  void wipeAllBut(ArchiveSection other) {
    holders.stream().filter(holder -> !other.holders.contains(holder)).forEach(Holder::close);
    List<ArchiveKey> kept = other.archiveKeys();
    archiveKeys().stream().filter(key -> !kept.contains(key)).forEach(ArchiveKey::close);
  }
}
