package io.ledgerkeep.core.derived;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.util.function.BooleanSupplier;

/** Compares the whole state and history of two ledgers, row by row in the order of the keys. */
public final class DerivedComparison {

  private static final int ROWS_BETWEEN_QUESTIONS = 4096;

  private DerivedComparison() {}

  /**
   * Returns if both views show the same; false if it was cancelled before that was known.
   *
   * @throws IntegrityException with the first difference
   */
  public static boolean requireEqual(
      DerivedStore.DerivedView one, DerivedStore.DerivedView other, BooleanSupplier cancelled) {
    return requireEqual("state", one.stateReader(), other.stateReader(), cancelled)
        && requireEqual("history", one.historyReader(), other.historyReader(), cancelled);
  }

  private static boolean requireEqual(
      String database, RowReader one, RowReader other, BooleanSupplier cancelled) {
    try (StorageEngine.Cursor ours = one.scan(DerivedKeys.ALL_ROWS);
        StorageEngine.Cursor theirs = other.scan(DerivedKeys.ALL_ROWS)) {
      for (long row = 0; ours.next(); row++) {
        if (row % ROWS_BETWEEN_QUESTIONS == 0 && cancelled.getAsBoolean()) {
          return false;
        }
        if (!theirs.next()
            || !ours.key().equals(theirs.key())
            || !one.whole(ours.key(), ours.value())
                .equals(other.whole(theirs.key(), theirs.value()))) {
          throw different(database, ours.key());
        }
      }
      if (theirs.next()) {
        throw different(database, theirs.key());
      }
      return true;
    }
  }

  /** Names the key by its digest: it may be a secret of who uses the chain. */
  private static IntegrityException different(String database, Bytes key) {
    return new IntegrityException(
        "the %s databases differ from the row on whose key has the SHA-256 digest %s"
            .formatted(database, Hashing.sha256().hashBytes(key.toArrayUnsafe())));
  }
}
