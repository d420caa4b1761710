package io.ledgerkeep.core.sealing;

import io.ledgerkeep.encryption.KeyWrapper.Calls;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Counts the calls under a device's key, in leases that are durable before they are used: a crash
 * loses what is left of one, and never counts too little. Serves any number of threads.
 */
final class LeasedCalls implements Calls {

  private final AtomicLong left = new AtomicLong();

  /** Absent where nothing is to be sealed. */
  private volatile @Nullable LongUnaryOperator leases;

  private volatile boolean closed;

  /**
   * Says who gives leases.
   *
   * @param source returns how many calls were leased, at least as many as it is asked for
   */
  void leaseFrom(LongUnaryOperator source) {
    leases = source;
  }

  @Override
  public void take(long calls) {
    while (!isTaken(calls)) {
      lease(calls);
    }
  }

  private boolean isTaken(long calls) {
    requireOpen();
    long had = left.getAndUpdate(have -> have >= calls ? have - calls : have);
    return had >= calls;
  }

  /**
   * Of several threads one leases, and the others wait for it. Whoever gives leases has locks of
   * its own, and takes none of this while it holds them.
   */
  private synchronized void lease(long calls) {
    LongUnaryOperator source = leases;
    if (source == null) {
      throw new IllegalStateException("nothing is sealed by who only reads");
    }
    if (left.get() < calls) {
      left.addAndGet(source.applyAsLong(calls));
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the keys of the ledger are closed");
    }
  }

  /** Ends the counting, waiting for nobody. Returns what was leased and will not be used. */
  long close() {
    closed = true;
    return left.getAndSet(0);
  }
}
