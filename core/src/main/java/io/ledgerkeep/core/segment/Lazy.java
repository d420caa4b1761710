package io.ledgerkeep.core.segment;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A value that is made when it is first asked for, again after a failure, and sometimes twice when
 * several threads ask at once. Serves any number of threads.
 */
final class Lazy<T> implements Supplier<T> {

  private final Supplier<T> make;
  private volatile @Nullable T value;

  Lazy(Supplier<T> make) {
    this.make = make;
  }

  @Override
  public T get() {
    T made = value;
    if (made == null) {
      made = make.get();
      value = made;
    }
    return made;
  }
}
