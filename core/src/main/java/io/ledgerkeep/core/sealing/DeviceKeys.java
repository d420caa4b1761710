package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.encryption.KeyWrapper.Direct;
import io.ledgerkeep.error.ConfigurationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The keys in devices under which a ledger or archive is sealed, those at hand and those that are
 * not. Each is one suite, by which it is told from others. Serves any number of threads.
 */
final class DeviceKeys implements AutoCloseable {

  /** What {@link #writeTo} takes at most for each key. */
  static final int ENTRY_BYTES = 64;

  private final Suites suites;

  /** Guarded by this, like what follows; its places, counted from 1, are what a registry writes. */
  private final List<DirectSuite> known = new ArrayList<>();

  private final List<Direct> devices = new ArrayList<>();

  /** That of the master key there is, if it seals in its device. */
  private @Nullable DirectSuite current;

  DeviceKeys(Suites suites) {
    this.suites = suites;
  }

  /**
   * Opens what seals in the device of a master key, which becomes the current one, or lets there be
   * none. Returns what takes that back.
   *
   * @throws ConfigurationException if the suite in the device is not one for ledgers
   */
  Runnable open(KeyWrapper wrapper) {
    Leases leases = new Leases();
    Optional<Direct> opened = wrapper.openDirect(leases);
    try {
      Optional<DirectSuite> suite = opened.map(direct -> known(direct, wrapper));
      leases.suite = suite.orElse(null);
      return change(suite.orElse(null), opened.orElse(null));
    } catch (RuntimeException | Error e) {
      opened.ifPresent(Direct::close);
      throw e;
    }
  }

  /** Counts for a key that is known only once it is open. */
  private static final class Leases implements KeyWrapper.Calls {

    private volatile @Nullable DirectSuite suite;

    @Override
    public void take(long calls) {
      DirectSuite known = suite;
      if (known == null) {
        throw new IllegalStateException("nothing is sealed before the key is known");
      }
      known.calls().take(calls);
    }
  }

  private DirectSuite known(Direct direct, KeyWrapper wrapper) {
    CipherSuite suite = direct.suite();
    CipherSuite software = suites.named(wrapper.suite());
    if (direct.identity().size() != DirectSuite.IDENTITY_BYTES
        || suite.keyBytes() != software.keyBytes()
        || suites.has(suite.id())
        || suite.sealedBytes(Encryptor.OVERHEAD_SPAN) > 2 * Encryptor.OVERHEAD_SPAN) {
      throw new ConfigurationException(
          "cipher suite %s of %s (number %s, keys of %s bytes) cannot seal for a ledger in place of %s (keys of %s bytes)"
              .formatted(
                  suite.name(),
                  wrapper.place(),
                  suite.id(),
                  suite.keyBytes(),
                  software.name(),
                  software.keyBytes()));
    }
    return known(direct.identity(), suite.id(), software);
  }

  /** Returns the suite of a key in a device, also of one that is not at hand. */
  synchronized DirectSuite known(Bytes identity, int id, CipherSuite software) {
    return known.stream()
        .filter(suite -> suite.id() == id && suite.identity().equals(identity))
        .findFirst()
        .orElseGet(() -> added(new DirectSuite(identity, id, software, 0)));
  }

  /** Returns the suite of the key that an object of an archive has. */
  CipherSuite suite(KeyObject object, CipherSuite software) {
    return object
        .device()
        .map(device -> (CipherSuite) known(device.key(), device.suite(), software))
        .orElse(software);
  }

  private DirectSuite added(DirectSuite suite) {
    known.add(suite);
    return suite;
  }

  private synchronized Runnable change(@Nullable DirectSuite suite, @Nullable Direct opened) {
    DirectSuite suiteBefore = current;
    Direct deviceBefore = suite == null ? null : suite.attach(opened);
    current = suite;
    if (opened != null) {
      devices.add(opened);
    }
    return () -> takeBack(suiteBefore, deviceBefore, opened);
  }

  private synchronized void takeBack(
      @Nullable DirectSuite suiteBefore, @Nullable Direct deviceBefore, @Nullable Direct opened) {
    if (current != null) {
      current.attach(deviceBefore);
    }
    current = suiteBefore;
    if (opened != null) {
      devices.remove(opened);
      opened.close();
    }
  }

  /** Returns the suite in the device of the master key there is, if it seals there. */
  synchronized Optional<DirectSuite> current() {
    return Optional.ofNullable(current);
  }

  /** Returns all, in their places. */
  synchronized List<DirectSuite> all() {
    return List.copyOf(known);
  }

  /** Returns how many calls are taken for used under the key, by whichever suite. */
  synchronized long leased(Bytes identity) {
    return known.stream()
        .filter(suite -> suite.identity().equals(identity))
        .mapToLong(DirectSuite::leased)
        .sum();
  }

  /** Returns the suite of the name: that in the device of the master key, or one in software. */
  CipherSuite named(String name) {
    Optional<DirectSuite> direct = current().filter(suite -> suite.name().equals(name));
    return direct.isPresent() ? direct.get() : suites.named(name);
  }

  // ------------------------------------------------------------------------------------ stored

  synchronized void writeTo(ByteWriter out) {
    out.varint(known.size());
    for (DirectSuite suite : known) {
      out.raw(suite.identity())
          .varint(suite.id())
          .varint(suite.software().id())
          .u64(suite.leased());
    }
  }

  synchronized void readFrom(ByteReader in) {
    for (int left = in.count(); left > 0; left--) {
      Bytes identity = Bytes.copyOf(in.raw(DirectSuite.IDENTITY_BYTES).toArray());
      known.add(new DirectSuite(identity, in.number(), suites.of(in.number()), in.u64()));
    }
  }

  /** Writes which suite it is, and in which of the devices. */
  synchronized void writeSuite(ByteWriter out, CipherSuite suite) {
    out.varint(suite.id()).varint(suite instanceof DirectSuite ? known.indexOf(suite) + 1 : 0);
  }

  synchronized CipherSuite readSuite(ByteReader in) {
    int id = in.number();
    int place = in.number();
    if (place == 0) {
      return suites.of(id);
    }
    if (place > known.size() || known.get(place - 1).id() != id) {
      throw in.damaged("there is no key " + place + " in a device for suite " + id);
    }
    return known.get(place - 1);
  }

  /** Lets go of the devices; closing twice does nothing. */
  @Override
  public void close() {
    List<Direct> left;
    synchronized (this) {
      left = List.copyOf(devices);
      devices.clear();
    }
    left.forEach(Direct::close);
  }
}
