package io.ledgerkeep.core.ledger;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

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
      } catch (Exception e) {
        failure.addSuppressed(e);
      }
    }
  }

  /** Closes everything; throws the first failure at the end. */
  void close() {
    @Nullable RuntimeException first = null;
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (RuntimeException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      } catch (Exception e) {
        throw new AssertionError("what a ledger opens throws no checked exceptions", e);
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
