package io.ledgerkeep.core.derived;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Compares the whole state and history of two ledgers, row by row in the order of the keys. */
public final class DerivedComparison {

  private static final int ROWS_BETWEEN_QUESTIONS = 4096;

  private DerivedComparison() {}

  /**
   * The first row that two databases do not have alike.
   *
   * @param database state or history
   * @param namespace of its key
   * @param keyDigest names the key by its digest: it may be a secret of who uses the chain
   */
  public record Difference(String database, String namespace, String keyDigest) {}

  /**
   * What was found.
   *
   * @param complete false if it was cancelled before that was known
   */
  public record Result(boolean complete, Optional<Difference> first) {

    private static final Result EQUAL = new Result(true, Optional.empty());
    private static final Result CANCELLED = new Result(false, Optional.empty());
  }

  /**
   * Returns if both views show the same; false if it was cancelled before that was known.
   *
   * @throws IntegrityException with the first difference
   */
  public static boolean requireEqual(
      DerivedStore.DerivedView one, DerivedStore.DerivedView other, BooleanSupplier cancelled) {
    Result result = compare(one, other, cancelled);
    result
        .first()
        .ifPresent(
            found -> {
              throw new IntegrityException(
                  "the %s databases differ from the row on whose key has the SHA-256 digest %s"
                      .formatted(found.database(), found.keyDigest()));
            });
    return result.complete();
  }

  /** Looks for the first difference: in state, then in history. */
  public static Result compare(
      DerivedStore.DerivedView one, DerivedStore.DerivedView other, BooleanSupplier cancelled) {
    Result state = compare("state", one.stateReader(), other.stateReader(), cancelled);
    return state.equals(Result.EQUAL)
        ? compare("history", one.historyReader(), other.historyReader(), cancelled)
        : state;
  }

  private static Result compare(
      String database, RowReader one, RowReader other, BooleanSupplier cancelled) {
    try (StorageEngine.Cursor ours = one.scan(DerivedKeys.ALL_ROWS);
        StorageEngine.Cursor theirs = other.scan(DerivedKeys.ALL_ROWS)) {
      for (long row = 0; ours.next(); row++) {
        if (row % ROWS_BETWEEN_QUESTIONS == 0 && cancelled.getAsBoolean()) {
          return Result.CANCELLED;
        }
        if (!theirs.next()) {
          return different(database, ours.key());
        }
        if (!ours.key().equals(theirs.key())
            || !one.whole(ours.key(), ours.value())
                .equals(other.whole(theirs.key(), theirs.value()))) {
          boolean isOurs = ours.key().compareTo(theirs.key()) <= 0;
          return different(database, isOurs ? ours.key() : theirs.key());
        }
      }
      return theirs.next() ? different(database, theirs.key()) : Result.EQUAL;
    }
  }

  private static Result different(String database, Bytes key) {
    String digest = Hashing.sha256().hashBytes(key.toArrayUnsafe()).toString();
    return new Result(
        true, Optional.of(new Difference(database, DerivedKeys.namespaceOf(key), digest)));
  }
}
