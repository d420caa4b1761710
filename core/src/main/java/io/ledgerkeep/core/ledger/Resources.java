package io.ledgerkeep.core.ledger;

import java.util.ArrayDeque;
import java.util.Deque;

/** What was opened one after the other; closes it in the reverse order, all of it. */
final class Resources {

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();

  void add(AutoCloseable resource) {
    opened.push(resource);
  }

  /** Closes everything because of a failure, which keeps what closing throws. */
  void closeAfter(Throwable failure) {
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (Throwable e) {
        failure.addSuppressed(e);
      }
    }
  }

  /** Closes everything; throws the first failure at the end. */
  void close() {
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (RuntimeException | Error e) {
        closeAfter(e);
        throw e;
      } catch (Exception e) {
        closeAfter(e);
        throw new AssertionError("what a ledger opens throws no checked exceptions", e);
      }
    }
  }
}
