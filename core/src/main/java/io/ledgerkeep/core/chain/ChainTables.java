package io.ledgerkeep.core.chain;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.chain.ChainKeys.BodyKey;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.rows.PieceKeys;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The tables of the block database as who copies its rows sees them. */
public final class ChainTables {

  private static final int METAS = 2;
  private static final int BODIES = 3;
  private static final int KEPT_BODIES = 4;
  private static final int PIECES = 0x80;

  /**
   * Records that are of use to the engine that has them only: what the id filter and the audit file
   * beside it have, how far a re-encryption of it has come. Databases of all kinds may have the
   * latter.
   */
  private static final Set<Bytes> OF_THIS_ENGINE =
      Set.of(ChainKeys.FILTER, ChainKeys.AUDIT, ChainKeys.record("reencrypt"));

  private ChainTables() {}

  /**
   * Returns the ranges with the rows of blocks from one height to another; in each of them heights
   * go up. Bodies of normal blocks up to the pivot are none of them, whatever lies there.
   */
  public static List<KeyRange> ofHeights(long firstHeight, long lastHeight, long pivot) {
    KeyRange metas = KeyRange.of(ChainKeys.meta(firstHeight), ChainKeys.meta(lastHeight + 1));
    KeyRange bodies =
        ChainKeys.bodies(Math.min(lastHeight + 1, Math.max(firstHeight, pivot + 1)), lastHeight);
    KeyRange kept = ChainKeys.bodies(Block.Kind.CONFIG, firstHeight, lastHeight);
    return List.of(
        metas,
        bodies,
        kept,
        PieceKeys.pieces(metas),
        PieceKeys.pieces(bodies),
        PieceKeys.pieces(kept));
  }

  /** Returns the ranges with the rows that belong to no height: those of the indexes. */
  public static List<KeyRange> indexes() {
    return List.of(
        KeyRange.of(table(KEPT_BODIES + 1), table(PIECES | METAS)),
        KeyRange.atLeast(table(PIECES | (KEPT_BODIES + 1))));
  }

  /** Returns the range of the records. */
  public static KeyRange records() {
    return KeyRange.of(table(1), table(METAS));
  }

  private static Bytes table(int number) {
    return Bytes.wrap(new byte[] {(byte) number});
  }

  /** Returns whether a row is of use elsewhere too. */
  public static boolean isWorthCopying(Bytes key) {
    return !OF_THIS_ENGINE.contains(key);
  }

  /** Returns whether it is a row of a body, and not a further piece of one. */
  public static boolean isOfBody(Bytes key) {
    return key.get(0) == BODIES || key.get(0) == KEPT_BODIES;
  }

  /** Returns whether the row is one of the body of a normal block, or a piece of one. */
  public static boolean isNormalBody(Bytes key) {
    return (key.get(0) & 0x7F) == BODIES;
  }

  /**
   * Returns the key of the entry of an index that leads to a row of a block, if one does.
   *
   * @param value gives the first piece of the row, opened
   */
  public static Optional<Bytes> indexKey(Bytes key, Supplier<Bytes> value) {
    int table = key.get(0) & 0xFF;
    if (table == METAS) {
      ByteReader meta = new ByteReader(value.get(), "a meta");
      meta.u8();
      return Optional.of(ChainKeys.hash(meta.sized()));
    }
    return (table == BODIES || table == KEPT_BODIES)
            && BodyKey.of(key).part() == ChainKeys.TRANSACTION
        ? Optional.of(ChainKeys.id(StoredBlock.transactionId(value.get())))
        : Optional.empty();
  }
}
