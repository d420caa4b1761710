package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.core.archiving.ArchivedBodies;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.IntegrityException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Answers questions for blocks, whether they are asked of a ledger or of a view: what is visible,
 * what is archived, and what should be here and is not. Serves any number of threads.
 */
final class BodyReader {

  private final ChainReader rows;
  private final ChainStore chain;
  private final LongSupplier visibleHeight;
  private final LongSupplier pivot;
  private final ArchivedBodies archived;

  /** Reads rows up to the visible height; what the pivot covers comes from the archive, or not. */
  BodyReader(
      ChainReader rows,
      ChainStore chain,
      LongSupplier visibleHeight,
      LongSupplier pivot,
      ArchivedBodies archived) {
    this.rows = rows;
    this.chain = chain;
    this.visibleHeight = visibleHeight;
    this.pivot = pivot;
    this.archived = archived;
  }

  Optional<MetaRow> meta(long height) {
    return height < 0 || height > visibleHeight.getAsLong()
        ? Optional.empty()
        : Optional.of(rows.requiredMeta(height));
  }

  Optional<MetaRow> metaByHash(Bytes hash) {
    if (hash.isEmpty() || hash.size() > Block.MAX_HASH_BYTES) {
      return Optional.empty();
    }
    OptionalLong height = rows.heightOf(hash);
    return height.isEmpty() ? Optional.empty() : meta(height.getAsLong());
  }

  Optional<ChainReader.Location> locationOf(String txId) {
    return rows.locationOf(txId).filter(at -> at.height() <= visibleHeight.getAsLong());
  }

  Block block(MetaRow meta) {
    return body(
        meta.meta(),
        () -> rows.block(meta).map(StoredBlock::decode),
        () -> archived.block(meta.meta()));
  }

  Optional<Transaction> transaction(String txId) {
    return locationOf(txId)
        .map(
            at -> {
              BlockMeta meta = rows.requiredMeta(at.height()).meta();
              return body(
                  meta,
                  () -> rows.transactionRow(meta, at.ordinal()).map(StoredBlock::transaction),
                  () -> archived.transaction(meta, at.ordinal()));
            });
  }

  Optional<RwSet> rwSet(String txId) {
    return locationOf(txId)
        .map(
            at -> {
              BlockMeta meta = rows.requiredMeta(at.height()).meta();
              return body(
                  meta,
                  () -> rows.rwSetRow(meta, at.ordinal()).map(row -> StoredBlock.rwSet(txId, row)),
                  () -> archived.rwSet(meta, at.ordinal(), txId));
            });
  }

  /**
   * The pivot alone decides. A row that is missed although the pivot promised it, or of which only
   * a part is left, may have been archived meanwhile, which the newest pivot tells; else it is
   * lost.
   */
  private <T> T body(BlockMeta meta, Supplier<Optional<T>> here, Supplier<T> there) {
    if (isArchived(meta, pivot.getAsLong())) {
      return there.get();
    }
    try {
      Optional<T> found = here.get();
      if (found.isPresent()) {
        return found.get();
      }
    } catch (IntegrityException e) {
      if (!isArchived(meta, chain.mark().pivot())) {
        throw e;
      }
    }
    if (isArchived(meta, chain.mark().pivot())) {
      return there.get();
    }
    throw new IntegrityException(
        "the body of block "
            + meta.height()
            + " should be on the node and is not; run ledgerkeep doctor");
  }

  private static boolean isArchived(BlockMeta meta, long pivot) {
    return meta.kind() == Block.Kind.NORMAL && meta.height() <= pivot;
  }
}
