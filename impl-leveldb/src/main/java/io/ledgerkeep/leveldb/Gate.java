package io.ledgerkeep.leveldb;

import java.util.concurrent.locks.StampedLock;

/**
 * Lets calls through while something is open and closes it once no call is inside.
 *
 * <p>A native handle that is used after it was freed ends the process. Every use of one happens
 * between {@link #enter} and {@link #leave}, every release inside {@link #close}; so the two never
 * meet. Entering costs two atomic steps and never waits for another call, only for a close.
 *
 * <p>Not reentrant: a thread that is inside must not enter again, or a close that began between the
 * two would wait for it for ever.
 */
final class Gate {

  private final String what;
  private final StampedLock lock = new StampedLock();

  // Written under the write lock, read under either lock, and without one by requireOpen.
  private volatile boolean closed;

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
    long stamp = lock.readLock();
    if (closed) {
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
    if (closed) {
      throw refusal();
    }
  }

  /** Runs the action if the gate is open, as a call that is inside; does nothing otherwise. */
  void ifOpen(Runnable action) {
    long stamp = lock.readLock();
    try {
      if (!closed) {
        action.run();
      }
    } finally {
      lock.unlockRead(stamp);
    }
  }

  /** Waits for the calls inside, lets no more in, and runs the action, the first time only. */
  void close(Runnable last) {
    long stamp = lock.writeLock();
    try {
      if (!closed) {
        closed = true;
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
