package io.ledgerkeep.core.ledger;

import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.LedgerView;
import java.util.function.Function;

/** An iterator over a view that nobody else has; closes the view with itself. For one thread. */
final class ViewIterator<T> implements CloseableIterator<T> {

  private final LedgerView view;
  private final CloseableIterator<T> iterator;

  private ViewIterator(LedgerView view, CloseableIterator<T> iterator) {
    this.view = view;
    this.iterator = iterator;
  }

  static <T> CloseableIterator<T> over(
      LedgerView view, Function<LedgerView, CloseableIterator<T>> open) {
    try {
      return new ViewIterator<>(view, open.apply(view));
    } catch (RuntimeException e) {
      view.close();
      throw e;
    }
  }

  @Override
  public boolean hasNext() {
    return iterator.hasNext();
  }

  @Override
  public T next() {
    return iterator.next();
  }

  @Override
  public void close() {
    try {
      iterator.close();
    } finally {
      view.close();
    }
  }
}
