package io.ledgerkeep.core.chain;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.chain.ChainKeys.BodyKey;
import io.ledgerkeep.core.codec.BlockHead;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Reads the block database, as it is now or as a snapshot has it. Knows nothing of what is visible
 * or archived: who calls it does. Serves any number of threads.
 */
public final class ChainReader {

  private final RowReader rows;

  /** Reads through the given rows. */
  public ChainReader(RowReader rows) {
    this.rows = rows;
  }

  /** Where a transaction is. */
  public record Location(long height, int ordinal) {}

  /** Returns the meta at the height, or empty where there is none. */
  public Optional<MetaRow> meta(long height) {
    return rows.get(ChainKeys.meta(height)).map(row -> MetaRow.decode(row, height));
  }

  /** Returns the meta at a height that the chain is known to reach. */
  public MetaRow requiredMeta(long height) {
    return meta(height).orElseThrow(() -> missingMeta(height));
  }

  /** Returns the metas of a range of heights that the chain is known to reach. */
  public List<MetaRow> metas(long firstHeight, long lastHeight) {
    List<MetaRow> metas = new ArrayList<>();
    try (StorageEngine.Cursor cursor = rows.scan(ChainKeys.metasFrom(firstHeight))) {
      for (long height = firstHeight; height <= lastHeight; height++) {
        if (!cursor.next() || !cursor.key().equals(ChainKeys.meta(height))) {
          throw missingMeta(height);
        }
        metas.add(MetaRow.decode(rows.whole(cursor.key(), cursor.value()), height));
      }
    }
    return metas;
  }

  static IntegrityException missingMeta(long height) {
    return new IntegrityException(
        "the meta of block " + height + " is missing; run ledgerkeep doctor");
  }

  /** Returns the height of the block with the hash, or empty where there is none. */
  public OptionalLong heightOf(Bytes hash) {
    Optional<Bytes> row = rows.get(ChainKeys.hash(hash));
    return row.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(new ByteReader(row.get(), "an entry of the hash index").u64());
  }

  /** Returns where the transaction is, or empty where there is none. */
  public Optional<Location> locationOf(String txId) {
    return rows.get(ChainKeys.id(txId)).map(ChainReader::location);
  }

  static Location location(Bytes row) {
    ByteReader in = new ByteReader(row, "an entry of the transaction index");
    Location location = new Location(in.u64(), in.u32());
    in.end();
    return location;
  }

  /** Returns the highest height at or below the given one that holds a normal block, or 0. */
  public long highestNormal(long height) {
    for (long at = height; at > 0; at--) {
      MetaRow meta = requiredMeta(at);
      if (meta.meta().kind() == Block.Kind.NORMAL) {
        return at;
      }
      if (meta.normalBlocks() == 0) {
        return 0;
      }
    }
    return 0;
  }

  /** Returns the row of a transaction, or empty where its body is not here. */
  public Optional<Bytes> transactionRow(BlockMeta meta, int ordinal) {
    return rows.get(ChainKeys.body(meta.kind(), meta.height(), ordinal, ChainKeys.TRANSACTION));
  }

  /** Returns the row of a read/write set, or empty where its body is not here. */
  public Optional<Bytes> rwSetRow(BlockMeta meta, int ordinal) {
    return rows.get(ChainKeys.body(meta.kind(), meta.height(), ordinal, ChainKeys.RW_SET));
  }

  /** Returns the block, or empty where any row of its body is not here. */
  public Optional<StoredBlock> block(MetaRow meta) {
    BlockMeta of = meta.meta();
    Body body = new Body(meta);
    if (!body.isComplete()) {
      try (StorageEngine.Cursor cursor =
          rows.scan(ChainKeys.bodies(of.kind(), of.height(), of.height()))) {
        while (!body.isComplete() && cursor.next()) {
          body.add(BodyKey.of(cursor.key()), rows.whole(cursor.key(), cursor.value()));
        }
      }
    }
    return body.block();
  }

  /**
   * What of a body is no read/write set.
   *
   * @param transactions the rows of the transactions
   * @param additional the bytes outside the hash
   */
  public record Transactions(List<Rope> transactions, Bytes additional) {}

  /** Returns all of a body but its read/write sets, or empty where any of that is not here. */
  public Optional<Transactions> transactions(MetaRow meta) {
    BlockMeta of = meta.meta();
    List<Rope> found = new ArrayList<>();
    for (int ordinal = 0; ordinal < of.transactionCount(); ordinal++) {
      transactionRow(of, ordinal).ifPresent(row -> found.add(Rope.of(row)));
    }
    Bytes additional = rows.get(ChainKeys.additional(of.kind(), of.height())).orElse(Bytes.EMPTY);
    return found.size() == of.transactionCount() && additional.size() == meta.additionalBytes()
        ? Optional.of(new Transactions(found, additional))
        : Optional.empty();
  }

  /**
   * Steps through the blocks from one height to another. A block whose body is not here, whole, is
   * an {@link IntegrityException}: who asks knows that it must be.
   */
  public BlockCursor blocks(long firstHeight, long lastHeight) {
    return new BlockCursor(this, rows, firstHeight, lastHeight);
  }

  /** The rows of a body as a scan meets them, in the order of their keys. */
  static final class Body {

    private final MetaRow meta;
    private final List<Rope> transactions = new ArrayList<>();
    private final List<Rope> rwSets = new ArrayList<>();
    private Bytes additional = Bytes.EMPTY;
    private boolean inOrder = true;

    Body(MetaRow meta) {
      this.meta = meta;
    }

    void add(BodyKey key, Bytes row) {
      switch (key.part()) {
        case ChainKeys.TRANSACTION -> add(transactions, key, row);
        case ChainKeys.RW_SET -> add(rwSets, key, row);
        case ChainKeys.ADDITIONAL -> additional = row;
        default -> inOrder = false;
      }
    }

    private void add(List<Rope> list, BodyKey key, Bytes row) {
      inOrder &= key.ordinal() == list.size();
      list.add(Rope.of(row));
    }

    boolean isComplete() {
      int count = meta.meta().transactionCount();
      return inOrder
          && transactions.size() == count
          && rwSets.size() == count
          && additional.size() == meta.additionalBytes();
    }

    Optional<StoredBlock> block() {
      return isComplete()
          ? Optional.of(
              new StoredBlock(BlockHead.of(meta.meta()), additional, transactions, rwSets))
          : Optional.empty();
    }
  }
}
