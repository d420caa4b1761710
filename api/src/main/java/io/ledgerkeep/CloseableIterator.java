package io.ledgerkeep;

import java.util.Iterator;

/**
 * An iterator that holds resources until it is closed. For one thread at a time; closing it twice
 * does nothing; closing what it came from closes it too, after which it throws {@link
 * IllegalStateException}.
 *
 * @param <T> what is iterated over
 */
public interface CloseableIterator<T> extends Iterator<T>, AutoCloseable {

  @Override
  void close();
}
