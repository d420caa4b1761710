package io.ledgerkeep.core.chain;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.storage.StorageEngine;
import java.util.function.BinaryOperator;

/**
 * How the values of a database lie on its engine: sealed, or as they are. For who has to handle
 * values that nobody can open any more.
 *
 * @param below the engine with the values as they lie there
 * @param store returns how a value lies at a key, which comes first
 * @param show returns the value of what lies at a key, which comes first; an IntegrityException if
 *     it is damaged
 */
public record StoredForm(
    StorageEngine below, BinaryOperator<Bytes> store, BinaryOperator<Bytes> show) {

  /** Returns the form of a database in plain. */
  public static StoredForm plain(StorageEngine engine) {
    return new StoredForm(engine, (key, value) -> value, (key, stored) -> stored);
  }
}
