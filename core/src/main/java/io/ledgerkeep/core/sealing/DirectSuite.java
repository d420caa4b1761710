package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.KeyWrapper.Direct;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import org.jspecify.annotations.Nullable;

/**
 * The suite of a key in a device, which may not be at hand: then everything but sealing and opening
 * is still served, by the suite in software that it stands for. Serves any number of threads.
 */
final class DirectSuite implements CipherSuite {

  /** The length of what tells the key from others. */
  static final int IDENTITY_BYTES = 32;

  private final Bytes identity;
  private final int id;
  private final CipherSuite software;
  private final LeasedCalls calls = new LeasedCalls();

  /** Absent where the device is not at hand. */
  private volatile @Nullable Direct device;

  /** How many calls are taken for used; guarded by the registry that keeps it. */
  private long leased;

  DirectSuite(Bytes identity, int id, CipherSuite software, long leased) {
    this.identity = identity;
    this.id = id;
    this.software = software;
    this.leased = leased;
  }

  /** Returns what tells the key from others. */
  Bytes identity() {
    return identity;
  }

  /** Returns the suite of keys in memory that it stands for. */
  CipherSuite software() {
    return software;
  }

  /** Returns the suite that seals in memory what is sealed under either. */
  static CipherSuite inSoftware(CipherSuite suite) {
    return suite instanceof DirectSuite direct ? direct.software : suite;
  }

  /** Returns what counts the calls. */
  LeasedCalls calls() {
    return calls;
  }

  long leased() {
    return leased;
  }

  void addLeased(long more) {
    leased += more;
  }

  /** Takes a device, or none; returns the one before. Neither is closed. */
  @Nullable Direct attach(@Nullable Direct other) {
    Direct before = device;
    device = other;
    return before;
  }

  /** Returns whether the device is at hand. */
  boolean isAtHand() {
    return device != null;
  }

  /** Returns whether archives are sealed in the device too. */
  boolean archives() {
    return device().archives();
  }

  private Direct device() {
    Direct found = device;
    if (found == null) {
      throw new KeyUnavailableException(
          Reason.MISSING,
          "what is sealed in key %s of a device (suite %s) cannot be opened without; open the ledger or archive with that key as its master key, in direct mode"
              .formatted(identity.hex(), name()));
    }
    return found;
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public String name() {
    Direct found = device;
    return found == null ? "%04X-DIRECT".formatted(id) : found.suite().name();
  }

  @Override
  public int keyBytes() {
    return software.keyBytes();
  }

  @Override
  public int sealedBytes(int length) {
    return device().suite().sealedBytes(length);
  }

  @Override
  public int openedBytes(byte[] sealedText, int offset, int length) {
    return device().suite().openedBytes(sealedText, offset, length);
  }

  @Override
  public Aead aead(byte[] key) {
    return device().suite().aead(key);
  }

  @Override
  public byte[] derive(byte[] secret, byte[] salt, byte[] info, int bytes) {
    return software.derive(secret, salt, info, bytes);
  }

  @Override
  public byte[] mac(byte[] key, byte[] data) {
    return software.mac(key, data);
  }

  @Override
  public String toString() {
    return "%s in key %s".formatted(name(), identity.hex());
  }
}
