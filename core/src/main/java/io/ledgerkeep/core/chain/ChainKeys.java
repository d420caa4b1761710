package io.ledgerkeep.core.chain;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.StoredText;
import java.util.OptionalLong;

/**
 * The keys of the block database, grouped by what is deleted together. Numbers are big-endian, so
 * that keys sort by height.
 *
 * <pre>
 * 01 name                        a record: format, last, pivot, derived, filter, job, unarchived,
 *                                rollback, archive-end, branches, audit
 * 02 height                      meta
 * 03 height ordinal part         body row of a normal block: archiving deletes one range
 * 04 height ordinal part         body row of the genesis or a config block: never deleted
 * 05 hash                        height
 * 06 transaction id              height ordinal
 * 8x ...                         further pieces of rows of table 0x
 * </pre>
 */
public final class ChainKeys {

  /** A transaction. */
  public static final int TRANSACTION = 0;

  /** The read/write set of the transaction of the same ordinal. */
  public static final int RW_SET = 1;

  /** The additional bytes; after all transactions. */
  public static final int ADDITIONAL = 2;

  static final Bytes FORMAT = record("format");
  static final Bytes LAST = record("last");
  static final Bytes PIVOT = record("pivot");
  static final Bytes DERIVED = record("derived");
  static final Bytes FILTER = record("filter");
  static final Bytes JOB = record("job");
  static final Bytes UNARCHIVED = record("unarchived");
  static final Bytes ROLL_BACK = record("rollback");
  static final Bytes ARCHIVE_END = record("archive-end");
  static final Bytes BRANCHES = record("branches");
  static final Bytes AUDIT = record("audit");

  private static final int RECORDS = 1;
  private static final int METAS = 2;
  private static final int BODIES = 3;
  private static final int KEPT_BODIES = 4;
  private static final int HASHES = 5;
  private static final int IDS = 6;
  private static final int LAST_ORDINAL = -1;

  private ChainKeys() {}

  /** Returns the key of a record that a database of any kind may have. */
  public static Bytes record(String name) {
    return new ByteWriter(16).u8(RECORDS).raw(Bytes.ofUtf8(name)).take();
  }

  static Bytes meta(long height) {
    return new ByteWriter(9).u8(METAS).u64(height).take();
  }

  static Bytes body(Block.Kind kind, long height, int ordinal, int part) {
    return new ByteWriter(16).u8(bodies(kind)).u64(height).u32(ordinal).u8(part).take();
  }

  static Bytes additional(Block.Kind kind, long height) {
    return body(kind, height, LAST_ORDINAL, ADDITIONAL);
  }

  static Bytes hash(Bytes hash) {
    return new ByteWriter(hash.size() + 1).u8(HASHES).raw(hash).take();
  }

  static KeyRange hashes() {
    return KeyRange.prefix(Bytes.wrap(new byte[] {HASHES}));
  }

  static Bytes id(String txId) {
    Bytes id = StoredText.of(txId);
    return new ByteWriter(id.size() + 1).u8(IDS).raw(id).take();
  }

  static KeyRange ids() {
    return KeyRange.prefix(Bytes.wrap(new byte[] {IDS}));
  }

  /** Returns the id or hash that the key of an index entry holds. */
  static Bytes indexed(Bytes indexKey) {
    return indexKey.slice(1, indexKey.size());
  }

  /** Returns the range of the metas from one height on. */
  static KeyRange metasFrom(long height) {
    return KeyRange.of(meta(height), Bytes.wrap(new byte[] {METAS + 1}));
  }

  /** Returns the range of the body rows of normal blocks from one height to another, included. */
  public static KeyRange bodies(long firstHeight, long lastHeight) {
    return bodies(Block.Kind.NORMAL, firstHeight, lastHeight);
  }

  static KeyRange bodies(Block.Kind kind, long firstHeight, long lastHeight) {
    return KeyRange.of(bodyFrom(kind, firstHeight), bodyFrom(kind, lastHeight + 1));
  }

  /** Returns the range of all body rows of blocks of the kind from one height on. */
  static KeyRange bodiesFrom(Block.Kind kind, long height) {
    return KeyRange.of(bodyFrom(kind, height), Bytes.wrap(new byte[] {(byte) (bodies(kind) + 1)}));
  }

  /** Returns the height that the key of a meta, of a body row or of a piece of one names. */
  public static OptionalLong heightOf(Bytes key) {
    int table = key.get(0) & 0x7F;
    return (table == METAS || table == BODIES || table == KEPT_BODIES) && key.size() > Long.BYTES
        ? OptionalLong.of(key.asBuffer().getLong(1))
        : OptionalLong.empty();
  }

  /** The height, ordinal and part that a body key names. */
  record BodyKey(long height, int ordinal, int part) {
    static BodyKey of(Bytes key) {
      ByteReader in = new ByteReader(key, "a body key");
      in.u8();
      BodyKey bodyKey = new BodyKey(in.u64(), in.u32(), in.u8());
      in.end();
      return bodyKey;
    }
  }

  private static Bytes bodyFrom(Block.Kind kind, long height) {
    return new ByteWriter(9).u8(bodies(kind)).u64(height).take();
  }

  private static int bodies(Block.Kind kind) {
    return kind == Block.Kind.NORMAL ? BODIES : KEPT_BODIES;
  }
}
