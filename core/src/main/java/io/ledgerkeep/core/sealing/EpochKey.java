package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.encryption.CipherSuite;
import io.ledgerkeep.encryption.CipherSuite.Aead;
import io.ledgerkeep.encryption.LedgerKeys;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/** The key of one epoch, and what is left of its budget. Serves any number of threads. */
final class EpochKey implements AutoCloseable {

  /** No number left: the epoch is over. */
  static final long USED_UP = -1;

  private static final Bytes LABEL = Bytes.ofUtf8("ledgerkeep values 1");
  private static final int SEQUENCE_BYTES = 7;

  private final Epoch epoch;
  private final CipherSuite suite;
  private final Aead aead;
  private final byte[] baseNonce;
  private final EpochLimits limits;
  private final Clock clock;
  private final AtomicLong values = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();

  private EpochKey(
      Epoch epoch,
      CipherSuite suite,
      Aead aead,
      byte[] baseNonce,
      EpochLimits limits,
      Clock clock) {
    this.epoch = epoch;
    this.suite = suite;
    this.aead = aead;
    this.baseNonce = baseNonce;
    this.limits = limits;
    this.clock = clock;
  }

  /** Returns the key that follows from a data key, for values of this ledger only. */
  static EpochKey derive(
      Epoch epoch, DataKey dataKey, Bytes ledgerId, EpochLimits limits, Clock clock) {
    CipherSuite suite = dataKey.suite();
    Bytes info =
        new ByteWriter(64).raw(LABEL).u32(suite.id()).raw(ledgerId).u32(epoch.number()).take();
    byte[] material =
        suite.derive(
            dataKey.secret().bytes(),
            epoch.salt().toArray(),
            info.toArray(),
            suite.keyBytes() + CipherSuite.NONCE_BYTES);
    try {
      byte[] nonce = Arrays.copyOfRange(material, suite.keyBytes(), material.length);
      return new EpochKey(epoch, suite, Secret.aead(suite, material), nonce, limits, clock);
    } finally {
      Arrays.fill(material, (byte) 0);
    }
  }

  int number() {
    return epoch.number();
  }

  int dataKey() {
    return epoch.dataKey();
  }

  /** Returns what may still be sealed. */
  LedgerKeys.Budget budget() {
    return new LedgerKeys.Budget(
        Math.max(0, limits.values() - values.get()),
        Math.max(0, limits.bytes() - bytes.get()),
        Instant.ofEpochMilli(epoch.createdAtMillis()).plus(limits.age()));
  }

  CipherSuite suite() {
    return suite;
  }

  Aead aead() {
    return aead;
  }

  /** Returns a number that no other value of this epoch has, or {@link #USED_UP}. */
  long take(int valueBytes) {
    if (bytes.addAndGet(valueBytes) > limits.bytes()
        || clock.millis() - epoch.createdAtMillis() > limits.age().toMillis()) {
      return USED_UP;
    }
    long sequence = values.getAndIncrement();
    return sequence < limits.values() ? sequence : USED_UP;
  }

  /** Fills in the nonce of a number: different numbers give different nonces. */
  byte[] nonce(long sequence, byte[] nonce) {
    System.arraycopy(baseNonce, 0, nonce, 0, CipherSuite.NONCE_BYTES);
    for (int i = 0; i < SEQUENCE_BYTES; i++) {
      nonce[CipherSuite.NONCE_BYTES - 1 - i] ^= (byte) (sequence >>> (8 * i));
    }
    return nonce;
  }

  @Override
  public void close() {
    aead.close();
    Arrays.fill(baseNonce, (byte) 0);
  }
}
