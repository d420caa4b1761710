package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
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

  private static final Bytes SEGMENT_LABEL = Bytes.ofUtf8("ledgerkeep segment 1");
  private static final Bytes MANIFEST_LABEL = Bytes.ofUtf8("ledgerkeep manifest 1");
  private static final Bytes AUDIT_LABEL = Bytes.ofUtf8("ledgerkeep audit 1");

  /** A cipher holds copies of its key, some of them outside of the heap: no more than these. */
  private static final int CIPHERS = 64;

  private final Bytes ledgerId;
  private final int number;
  private final CipherSuite suite;

  /** Guarded by this, like what follows; wiped at the end. */
  private final Secret root;

  /** The segments whose ciphers are ready, those used last at the end. */
  private final Set<SegmentKey> ready = new LinkedHashSet<>();

  private boolean closed;

  /** Takes the root over. */
  ArchiveKey(Bytes ledgerId, int number, CipherSuite suite, Secret root) {
    this.ledgerId = ledgerId;
    this.number = number;
    this.suite = suite;
    this.root = root;
  }

  /** Returns the number of the key, counted from 1 within its archive. */
  public int number() {
    return number;
  }

  CipherSuite suite() {
    return suite;
  }

  Bytes ledgerId() {
    return ledgerId;
  }

  /** Writes the root itself, for the registry that keeps it. */
  synchronized void writeRootTo(ByteWriter out) {
    requireOpen();
    out.raw(root.bytes());
  }

  /** Copies the root to the beginning of an array, for whoever seals it there. */
  synchronized void copyRoot(byte[] target) {
    requireOpen();
    System.arraycopy(root.bytes(), 0, target, 0, Secret.BYTES);
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
    return mac(MANIFEST_LABEL, entry);
  }

  /** Returns the authentication code of a line of the ledger's audit file. */
  public Bytes auditMac(Bytes line) {
    return mac(AUDIT_LABEL, line);
  }

  private Bytes mac(Bytes label, Bytes text) {
    Bytes info = new ByteWriter(64).raw(label).u32(suite.id()).u32(number).take();
    byte[] key = derive(ledgerId, info, CipherSuite.MAC_BYTES);
    try {
      return Bytes.wrap(suite.mac(key, text.toArrayUnsafe()));
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

  /** Returns whether closing this key will give up the cipher of the segment too. */
  synchronized boolean isInUse(SegmentKey key) {
    return ready.contains(key);
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
