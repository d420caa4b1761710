package io.ledgerkeep.core.segment;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the content of a segment is sorted into; each stream is cut into frames of its own. */
enum Stream {
  /** The blocks, one after the other. */
  DATA(1),
  /** Where each block is in the other streams. */
  BLOCKS(2),
  /** How long each row is. */
  TXS(3),
  /** The Merkle leaves of each transaction. */
  LEAVES(4),
  /** Finds transactions by their ids. */
  TX_LOCATOR(5),
  /** Finds blocks by their hashes. */
  HASH_LOCATOR(6),
  /** What zstd knows beforehand of the data. */
  DICTIONARY(7),
  /** The frame table and what sums the segment up; not in the frame table itself. */
  FOOTER(8);

  /** The number of streams that the frame table knows. */
  static final int COUNT = 7;

  private static final List<Stream> IN_TABLE = List.of(values()).subList(0, COUNT);

  private final int code;

  Stream(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }

  /** Returns the place of the stream in arrays by stream. */
  int index() {
    return code - 1;
  }

  /** Returns the streams that the frame table knows. */
  static List<Stream> inTable() {
    return IN_TABLE;
  }

  /** Returns the stream with the code, of those that the frame table knows, or null. */
  static @Nullable Stream ofCode(int code) {
    return code >= 1 && code <= COUNT ? IN_TABLE.get(code - 1) : null;
  }

  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
