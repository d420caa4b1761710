package io.ledgerkeep.testkit;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Remembers what is open and where in the code it was opened. */
final class OpenResources {

  private final Map<Object, Throwable> openedAt = new ConcurrentHashMap<>();

  /** Remembers the resource, which must not define equality of its own. */
  void opened(Object resource, String what) {
    openedAt.put(resource, new Throwable(what + " was opened here and not closed:"));
  }

  void closed(Object resource) {
    openedAt.remove(resource);
  }

  void clear() {
    openedAt.clear();
  }

  void assertAllClosed() {
    if (openedAt.isEmpty()) {
      return;
    }
    StringWriter message = new StringWriter();
    openedAt.values().forEach(where -> where.printStackTrace(new PrintWriter(message)));
    throw new AssertionError(openedAt.size() + " left open\n" + message);
  }
}
