package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.core.chain.Branches;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.storage.StorageEngine;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;

/**
 * A ledger at the moment between two commits at which it is backed up. Close it.
 *
 * @param stored all databases at that moment, values as they lie there
 * @param branches when it was set back
 * @param blocks the block database at that moment, values opened
 * @param open returns the value of what lies at a key of the block database, which comes first
 * @param seal returns a value sealed for a key of the block database, or empty where nothing is
 * @param registry returns the registry of keys as it is now, or empty where nothing is sealed
 * @param dataKeys the numbers of the data keys that may open something
 */
public record BackupSource(
    BackedUpLedger ledger,
    Position position,
    Map<Database, StorageEngine.Snapshot> stored,
    Branches branches,
    ChainReader blocks,
    BinaryOperator<Bytes> open,
    BiFunction<Bytes, Bytes, Optional<Bytes>> seal,
    Supplier<Optional<Bytes>> registry,
    List<Integer> dataKeys)
    implements AutoCloseable {

  /** Copies map and list. */
  public BackupSource {
    stored = Map.copyOf(stored);
    dataKeys = List.copyOf(dataKeys);
  }

  StorageEngine.Snapshot stored(Database database) {
    return Objects.requireNonNull(stored.get(database));
  }

  Bytes genesis() {
    return hashAt(0);
  }

  /** Returns the hash of the block at the height, or empty bytes where there is none. */
  Bytes hashAt(long height) {
    return height < 0 || height > position.height()
        ? Bytes.EMPTY
        : blocks.requiredMeta(height).meta().hash();
  }

  /** Returns whether the ledger has all blocks still that it had at that moment. */
  boolean continues(BackupHead earlier) {
    Position before = earlier.position();
    return hashAt(before.height()).equals(before.hash())
        && branches.reaches(before.height(), earlier.branch());
  }

  /** Returns the encoded size of the bodies of normal blocks of a range. */
  long bodyBytes(HeightRange heights) {
    return heights.count() == 0 ? 0 : bytesUpTo(heights.last()) - bytesUpTo(heights.first() - 1);
  }

  private long bytesUpTo(long height) {
    return height < 0 ? 0 : blocks.meta(height).map(MetaRow::normalBytes).orElse(0L);
  }

  @Override
  public void close() {
    stored.values().forEach(StorageEngine.Snapshot::close);
  }
}
