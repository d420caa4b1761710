package io.ledgerkeep.core.derived;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.StoredText;

/**
 * The keys of the state and the history database. Lengths have two bytes, so that no namespace is
 * the beginning of another; in history height and ordinal are inverted, so that the newest writer
 * comes first.
 *
 * <pre>
 * both     01 name                                                    a record: format, height
 * state    02 length namespace key                                    value
 * history  02 length namespace length key ~height ~ordinal            deleted, transaction id
 * both     8x ...                                                     further pieces of rows of 0x
 * </pre>
 */
final class DerivedKeys {

  /** The height that the database has come to, whether durable or not. */
  static final Bytes HEIGHT = ChainKeys.record("height");

  /** Where the pieces of large values lie. */
  static final KeyRange PIECES = KeyRange.prefix(Bytes.wrap(new byte[] {(byte) 0x82}));

  /** Where the rows of a database lie. */
  static final KeyRange ALL_ROWS = KeyRange.prefix(Bytes.wrap(new byte[] {2}));

  private static final int ROWS = 2;

  /** What the row of an entry ends with: height and ordinal, turned round. */
  private static final int PLACE_BYTES = 12;

  private DerivedKeys() {}

  static Bytes state(String namespace, Bytes key) {
    Bytes name = StoredText.of(namespace);
    return new ByteWriter(3 + name.size() + key.size())
        .u8(ROWS)
        .u8(name.size() >>> 8)
        .u8(name.size())
        .raw(name)
        .raw(key)
        .take();
  }

  /** Returns the range of the state keys of a namespace that lie in a range of its keys. */
  static KeyRange state(String namespace, KeyRange range) {
    KeyRange whole = KeyRange.prefix(state(namespace, Bytes.EMPTY));
    return KeyRange.of(
        state(namespace, range.from()),
        range.until().map(until -> state(namespace, until)).orElseGet(whole.until()::orElseThrow));
  }

  /** Returns the key within the namespace. */
  static Bytes keyOf(String namespace, Bytes stateKey) {
    return stateKey.slice(state(namespace, Bytes.EMPTY).size(), stateKey.size());
  }

  /** Returns the namespace of a key of either database. */
  static String namespaceOf(Bytes key) {
    int length = ((key.get(1) & 0xFF) << 8) | (key.get(2) & 0xFF);
    return key.slice(3, 3 + length).utf8();
  }

  static Bytes history(String namespace, Bytes key, long height, int ordinal) {
    return historyPrefix(namespace, key, PLACE_BYTES).u64(~height).u32(~ordinal).take();
  }

  static KeyRange history(String namespace, Bytes key) {
    return KeyRange.prefix(historyPrefix(namespace, key, 0).take());
  }

  /** Returns the range of the entries of a key at or below a height, the newest first. */
  static KeyRange historyUpTo(long height, String namespace, Bytes key) {
    return KeyRange.of(
        history(namespace, key, height, -1), history(namespace, key).until().orElseThrow());
  }

  private static ByteWriter historyPrefix(String namespace, Bytes key, int more) {
    Bytes name = StoredText.of(namespace);
    return new ByteWriter(5 + name.size() + key.size() + more)
        .u8(ROWS)
        .u8(name.size() >>> 8)
        .u8(name.size())
        .raw(name)
        .u8(key.size() >>> 8)
        .u8(key.size())
        .raw(key);
  }

  static Bytes historyValue(String txId, boolean deleted) {
    return new ByteWriter(1 + txId.length()).u8(deleted ? 1 : 0).raw(Bytes.ofUtf8(txId)).take();
  }

  /** Returns what all entries of one key begin with, of the row of one. */
  static Bytes keyOfHistory(Bytes row) {
    return row.slice(0, Math.max(0, row.size() - PLACE_BYTES));
  }

  static boolean isDeletion(Bytes value) {
    return new ByteReader(value, "a history entry").u8() == 1;
  }

  static HistoryEntry historyEntry(Bytes key, Bytes value) {
    ByteReader tail =
        new ByteReader(key.slice(key.size() - PLACE_BYTES, key.size()), "a history key");
    ByteReader in = new ByteReader(value, "a history entry");
    boolean deleted = in.u8() == 1;
    return new HistoryEntry(~tail.u64(), ~tail.u32(), in.rest().utf8(), deleted);
  }
}
