package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A key of an archive: the keys of its segments are derived from it, and so is the one that
 * authenticates its manifest. Serves any number of threads.
 */
public final class ArchiveKey implements AutoCloseable {

  private static final Bytes WRAP_LABEL = Bytes.ofUtf8("ledgerkeep archive key 1");
  private static final Bytes SEGMENT_LABEL = Bytes.ofUtf8("ledgerkeep segment 1");
  private static final Bytes MANIFEST_LABEL = Bytes.ofUtf8("ledgerkeep manifest 1");

  /** A cipher holds copies of its key, some of them outside of the heap: no more than these. */
  private static final int CIPHERS = 64;

  private final Bytes ledgerId;
  private final int number;
  private final CipherSuite suite;
  private final WrappedKey wrapped;

  /** Guarded by this, like what follows; wiped at the end. */
  private final Secret root;

  /** The segments whose ciphers are ready, those used last at the end. */
  private final Set<SegmentKey> ready = new LinkedHashSet<>();

  private boolean closed;

  /** Takes the root over. */
  ArchiveKey(Bytes ledgerId, CipherSuite suite, Secret root, WrappedKey wrapped) {
    this.ledgerId = ledgerId;
    this.number = wrapped.number();
    this.suite = suite;
    this.root = root;
    this.wrapped = wrapped;
  }

  /** Makes a key, and wraps it while the master key is at hand. */
  static ArchiveKey fresh(Bytes ledgerId, int number, CipherSuite suite, KeyWrapper wrapper) {
    Secret root = Secret.random();
    byte[] wrapped = wrapper.wrap(root.bytes(), wrapContext(ledgerId, suite, number));
    return new ArchiveKey(
        ledgerId,
        suite,
        root,
        new WrappedKey(number, suite.name(), WrappedKey.newHolder(), Bytes.wrap(wrapped)));
  }

  /**
   * Opens a key of the archive of a ledger.
   *
   * @throws KeyUnavailableException if the master key is not the one
   * @throws ConfigurationException if the suite of the key is not at hand
   * @throws IntegrityException if what was wrapped is no key
   */
  public static ArchiveKey open(
      Bytes ledgerId, WrappedKey wrapped, KeyWrapper wrapper, Suites suites) {
    CipherSuite suite = suites.named(wrapped.suite());
    byte[] root =
        wrapper.unwrap(wrapped.wrapped().toArray(), wrapContext(ledgerId, suite, wrapped.number()));
    if (root.length != Secret.BYTES) {
      int size = root.length;
      Arrays.fill(root, (byte) 0);
      throw new IntegrityException(
          "archive key %s of ledger %s has %s bytes, not %s"
              .formatted(wrapped.number(), ledgerId.hex(), size, Secret.BYTES));
    }
    return new ArchiveKey(ledgerId, suite, new Secret(root), wrapped);
  }

  private static byte[] wrapContext(Bytes ledgerId, CipherSuite suite, int number) {
    return new ByteWriter(64)
        .raw(WRAP_LABEL)
        .u32(suite.id())
        .raw(ledgerId)
        .u32(number)
        .take()
        .toArray();
  }

  /** Returns the number of the key, counted from 1 within its archive. */
  public int number() {
    return number;
  }

  /** Returns the key as a holder of the master key keeps it. */
  public WrappedKey wrapped() {
    return wrapped;
  }

  CipherSuite suite() {
    return suite;
  }

  /** Returns the root itself, for the registry that keeps it. */
  Bytes root() {
    return Bytes.wrap(root.bytes());
  }

  /**
   * Returns the key of a new segment, which no other segment has.
   *
   * @param identity what tells the segment from others
   */
  public SegmentKey newSegment(Bytes identity) {
    return segment(identity, Bytes.wrap(Secret.randomBytes()));
  }

  /** Returns the key of a segment that was sealed with the salt. */
  public SegmentKey segment(Bytes identity, Bytes salt) {
    return new SegmentKey(this, identity, salt);
  }

  /** Returns the authentication code of an entry of the manifest. */
  public Bytes mac(Bytes entry) {
    Bytes info = new ByteWriter(64).raw(MANIFEST_LABEL).u32(suite.id()).u32(number).take();
    byte[] key = derive(ledgerId, info, CipherSuite.MAC_BYTES);
    try {
      return Bytes.wrap(suite.mac(key, entry.toArrayUnsafe()));
    } finally {
      Arrays.fill(key, (byte) 0);
    }
  }

  /** Derives what belongs to a segment; the caller wipes it. */
  byte[] segmentMaterial(Bytes identity, Bytes salt, int bytes) {
    Bytes info = new ByteWriter(160).raw(SEGMENT_LABEL).u32(suite.id()).raw(identity).take();
    return derive(salt, info, bytes);
  }

  /** Keys derived from a root that was wiped would be everybody's. */
  private synchronized byte[] derive(Bytes salt, Bytes info, int bytes) {
    requireOpen();
    return suite.derive(root.bytes(), salt.toArray(), info.toArray(), bytes);
  }

  /** Says that the cipher of a segment is to be ready; those not used for long are given up. */
  void use(SegmentKey key) {
    List<SegmentKey> givenUp = new ArrayList<>();
    synchronized (this) {
      requireOpen();
      ready.remove(key);
      ready.add(key);
      while (ready.size() > CIPHERS) {
        SegmentKey oldest = ready.iterator().next();
        ready.remove(oldest);
        givenUp.add(oldest);
      }
    }
    givenUp.forEach(SegmentKey::close);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the key of the archive is closed");
    }
  }

  /** Wipes the key as far as it can be reached; closing twice does nothing. */
  @Override
  public void close() {
    List<SegmentKey> left;
    synchronized (this) {
      closed = true;
      root.close();
      left = List.copyOf(ready);
      ready.clear();
    }
    left.forEach(SegmentKey::close);
  }

  @Override
  public String toString() {
    return "archive key %s (%s)".formatted(number, suite.name());
  }
}
