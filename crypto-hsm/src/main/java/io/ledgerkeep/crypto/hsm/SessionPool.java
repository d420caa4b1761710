package io.ledgerkeep.crypto.hsm;

import com.sun.jna.Memory;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Just so many sessions as were asked for, or as the token permits: opened when one is needed, kept
 * open, and thrown away where they may be broken.
 */
final class SessionPool implements AutoCloseable {

  private final Cryptoki library;
  private final long slot;

  /** Guarded by this, like what follows. */
  private final Deque<Session> idle = new ArrayDeque<>();

  private int most;
  private int open;
  private boolean closed;

  SessionPool(Cryptoki library, long slot, int most) {
    this.library = library;
    this.slot = slot;
    this.most = most;
  }

  /** A session and the memory through which its calls go. Serves one thread at a time. */
  static final class Session {

    /** More than this is given back after the call. */
    private static final int KEPT_BYTES = 256 << 10;

    private final long handle;
    private Memory memory = new Memory(4096);

    private Session(long handle) {
      this.handle = handle;
    }

    long handle() {
      return handle;
    }

    /** Returns memory of at least so many bytes; its content is whatever was there. */
    Memory memory(long bytes) {
      if (memory.size() < bytes) {
        memory.close();
        memory = new Memory(Math.max(bytes, Math.min(KEPT_BYTES, 2 * bytes)));
      }
      return memory;
    }

    private void trim() {
      if (memory.size() > KEPT_BYTES) {
        memory.close();
        memory = new Memory(4096);
      }
    }
  }

  /** One use of a session; without {@link #succeeded} it is thrown away at the end. */
  final class Use implements AutoCloseable {

    private final Session session;
    private boolean whole;

    private Use(Session session) {
      this.session = session;
    }

    Session session() {
      return session;
    }

    /** Says that the session can be used again. */
    void succeeded() {
      whole = true;
    }

    /**
     * Says what a call in the session failed with. Most failures end the call and leave the session
     * as it was; and with the last session of a process its login ends, so none is closed without
     * need.
     */
    void failed(long code) {
      whole = !Ckr.isLost(code) || code == Ckr.GENERAL_ERROR || code == Ckr.FUNCTION_FAILED;
    }

    @Override
    public void close() {
      giveBack(session, whole);
    }
  }

  /**
   * Waits for a session.
   *
   * @throws TokenException if none can be opened, or the pool was closed
   */
  Use borrow() {
    while (true) {
      Session session = idleOrRoom();
      if (session != null) {
        return new Use(session);
      }
      long handle;
      try {
        handle = library.openSession(slot);
      } catch (TokenException e) {
        if (!waitInstead(e)) {
          throw e;
        }
        continue;
      }
      return new Use(new Session(handle));
    }
  }

  /** Returns an idle session, or null where there is room to open one, which is then taken. */
  private synchronized @Nullable Session idleOrRoom() {
    boolean interrupted = false;
    try {
      while (true) {
        if (closed) {
          throw new TokenException(Ckr.SESSION_CLOSED, "the pool of sessions");
        }
        Session session = idle.pollLast();
        if (session != null) {
          return session;
        }
        if (open < most) {
          open++;
          return null;
        }
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true; // a call takes no longer than the token takes
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Gives back the room; returns whether others of ours will come free, of which one will do. */
  private synchronized boolean waitInstead(TokenException e) {
    open--;
    boolean others = e.code() == Ckr.SESSION_COUNT && open > 0;
    if (others) {
      most = open;
    } else {
      notify();
    }
    return others;
  }

  private synchronized void giveBack(Session session, boolean whole) {
    if (whole && !closed) {
      session.trim();
      idle.addLast(session);
    } else {
      discard(session);
      open--;
    }
    notify();
  }

  private void discard(Session session) {
    library.closeSession(session.handle);
    session.memory.close();
  }

  /** Closes what is idle at once, and the others when they are given back. */
  @Override
  public synchronized void close() {
    closed = true;
    idle.forEach(this::discard);
    open -= idle.size();
    idle.clear();
    notifyAll();
  }
}
