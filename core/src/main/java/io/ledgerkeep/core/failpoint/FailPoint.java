package io.ledgerkeep.core.failpoint;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Places where a test can kill the process: with {@code -Dledgerkeep.failpoint=NAME} it halts when
 * it comes by for the first time, with {@code NAME:N} for the N-th. Within the process a listener
 * is told of every place, and may throw an error there. Without either a place costs two
 * comparisons.
 */
public final class FailPoint {

  private static final @Nullable String WANTED = System.getProperty("ledgerkeep.failpoint");
  private static int passed;

  /** Told of every place; only in tests. */
  private static volatile @Nullable Consumer<String> listener;

  private FailPoint() {}

  /** Halts the process if this place is the one wanted. */
  public static void pass(String name) {
    if (WANTED != null) {
      haltAt(name, WANTED);
    }
    Consumer<String> told = listener;
    if (told != null) {
      told.accept(name);
    }
  }

  /** Sets who is told of every place, on whatever thread passes it; null for nobody. */
  public static void tell(@Nullable Consumer<String> newListener) {
    listener = newListener;
  }

  private static synchronized void haltAt(String name, String wanted) {
    int colon = wanted.indexOf(':');
    String wantedName = colon < 0 ? wanted : wanted.substring(0, colon);
    if (name.equals(wantedName)) {
      passed++;
      if (passed == (colon < 0 ? 1 : Integer.parseInt(wanted.substring(colon + 1)))) {
        Runtime.getRuntime().halt(137);
      }
    }
  }
}
