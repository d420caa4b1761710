package io.ledgerkeep.core.derived;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.storage.StorageEngine;
import java.util.NoSuchElementException;
import java.util.function.BiFunction;

/** Shows the rows of a cursor as values. For one thread. */
final class CursorIterator<T> implements CloseableIterator<T> {

  private final StorageEngine.Cursor cursor;
  private final BiFunction<Bytes, Bytes, T> decode;
  private boolean looked;
  private boolean found;

  CursorIterator(StorageEngine.Cursor cursor, BiFunction<Bytes, Bytes, T> decode) {
    this.cursor = cursor;
    this.decode = decode;
  }

  @Override
  public boolean hasNext() {
    if (!looked) {
      found = cursor.next();
      looked = true;
    }
    return found;
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    looked = false;
    return decode.apply(cursor.key(), cursor.value());
  }

  @Override
  public void close() {
    looked = false; // so that the closed cursor is asked again, and refuses
    cursor.close();
  }
}
