package io.ledgerkeep.cli.certs;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where a test can end a change; of no account otherwise. */
final class Steps {

  private static volatile @Nullable Consumer<String> listener;

  private Steps() {}

  static void pass(String name) {
    Consumer<String> told = listener;
    if (told != null) {
      told.accept(name);
    }
  }

  /** Sets who is told of every step, and may throw an error there; null for nobody. */
  static void tell(@Nullable Consumer<String> newListener) {
    listener = newListener;
  }
}
