package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.core.chain.Prepared;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.derived.DerivedRows;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.rows.RowMaker;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything about blocks that needs no other block: done by any thread before the one writer's
 * turn.
 */
final class Preparation {

  /**
   * The rows of a larger block are copied, and sealed where the ledger is encrypted, only when they
   * are written: else a few of the largest blocks would be several times in memory.
   */
  private static final long MAX_COPIED_BYTES = 1 << 20;

  private final Digests digest;
  private final RowMaker chainRows;
  private final DerivedStore derived;
  private final LongSupplier height;

  /**
   * Prepares blocks for a ledger.
   *
   * @param chainRows makes the rows of the block database
   * @param height the height of the ledger
   */
  Preparation(Digests digest, RowMaker chainRows, DerivedStore derived, LongSupplier height) {
    this.digest = digest;
    this.chainRows = chainRows;
    this.derived = derived;
    this.height = height;
  }

  /** A block made ready, with what state and history get of it. */
  record Ready(Prepared block, DerivedRows derived) {}

  /**
   * Blocks made ready.
   *
   * @param bytes the size of their bodies
   * @param refusal why the block after them cannot be committed: it takes none of them down
   */
  record Slice(List<Ready> blocks, long bytes, @Nullable IllegalArgumentException refusal) {

    boolean isRefused() {
      return refusal != null;
    }

    void requireNotRefused() {
      if (refusal != null) {
        throw refusal;
      }
    }
  }

  /** Prepares what the block database gets of a block. */
  Prepared chainRows(Block block) {
    return chainRows(block, digest.newDigest());
  }

  private Prepared chainRows(Block block, MessageDigest fresh) {
    return Prepared.of(block, fresh, isWorthIt(block) ? chainRows : RowMaker.NOTHING_AHEAD);
  }

  /** Prepares what state and history get of a block. */
  DerivedRows derivedRows(Block block) {
    return derived.prepare(List.of(block), this::isWorthIt).get(0);
  }

  /** Returns what state and history get of a block, nothing of it done ahead. */
  DerivedRows derivedRowsAsTheyAre(Block block) {
    return derived.prepare(List.of(block), any -> false).get(0);
  }

  /** Prepares blocks up to the first that cannot be committed. */
  Slice of(List<Block> blocks) {
    MessageDigest fresh = digest.newDigest();
    List<Prepared> prepared = new ArrayList<>(blocks.size());
    IllegalArgumentException refusal = null;
    for (int i = 0; i < blocks.size() && refusal == null; i++) {
      try {
        prepared.add(chainRows(blocks.get(i), fresh));
      } catch (IllegalArgumentException e) {
        refusal = e;
      }
    }
    return slice(prepared, blocks.subList(0, prepared.size()), refusal);
  }

  private Slice slice(
      List<Prepared> prepared, List<Block> blocks, @Nullable IllegalArgumentException refusal) {
    List<DerivedRows> derivedRows = derived.prepare(blocks, this::isWorthIt);
    List<Ready> ready = new ArrayList<>(prepared.size());
    long bytes = 0;
    for (int i = 0; i < prepared.size(); i++) {
      ready.add(new Ready(prepared.get(i), derivedRows.get(i)));
      bytes += prepared.get(i).stored().bodyBytes();
    }
    return new Slice(ready, bytes, refusal);
  }

  /** A block that is committed already, as in an import begun again, is only compared. */
  private boolean isWorthIt(Block block) {
    return block.height() > height.getAsLong() && copiedBytes(block) > 0;
  }

  /** Returns about how many bytes of memory a prepared block takes beside the block itself. */
  static long copiedBytes(Block block) {
    long rawBytes = block.rawBytes();
    return rawBytes <= MAX_COPIED_BYTES ? Math.max(1, rawBytes) : 0;
  }
}
