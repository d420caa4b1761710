package io.ledgerkeep.leveldb;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.StampedLock;

/**
 * Lets calls through while something is open and closes it once no call is inside.
 *
 * <p>A native handle that is used after it was freed ends the process. Every use of one happens
 * between {@link #enter} and {@link #leave}, every release inside {@link #close}; so the two never
 * meet. Entering costs two atomic steps and waits for nothing but a close.
 *
 * <p>Not reentrant: a thread that is inside must not enter again, or a close that got its turn
 * between the two would never end.
 */
final class Gate {

  private final String what;
  private final StampedLock lock = new StampedLock();

  // Set before a close asks for the lock, which readers that go on coming would pass by for ever.
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Creates an open gate before the thing that messages call by the given name. */
  Gate(String what) {
    this.what = what;
  }

  /**
   * Begins a call.
   *
   * @return what {@link #leave} wants to see
   * @throws IllegalStateException if the gate is closed
   */
  long enter() {
    requireOpen();
    long stamp = lock.readLock();
    if (closed.get()) {
      lock.unlockRead(stamp);
      throw refusal();
    }
    return stamp;
  }

  /** Ends a call. */
  void leave(long stamp) {
    lock.unlockRead(stamp);
  }

  /** Throws if the gate is closed, for calls that touch no native handle. */
  void requireOpen() {
    if (closed.get()) {
      throw refusal();
    }
  }

  /** Runs the action as a call that is inside if the gate is open; does nothing otherwise. */
  void ifOpen(Runnable action) {
    long stamp = lock.readLock();
    try {
      if (!closed.get()) {
        action.run();
      }
    } finally {
      lock.unlockRead(stamp);
    }
  }

  /**
   * Lets no more calls in, waits for those inside, and runs the action, the first time only.
   * Returns when that is done, whoever began it.
   */
  void close(Runnable last) {
    boolean isFirst = closed.compareAndSet(false, true);
    long stamp = lock.writeLock();
    try {
      if (isFirst) {
        last.run();
      }
    } finally {
      lock.unlockWrite(stamp);
    }
  }

  private IllegalStateException refusal() {
    return new IllegalStateException("the " + what + " is closed");
  }
}
