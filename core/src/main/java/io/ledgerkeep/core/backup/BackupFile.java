package io.ledgerkeep.core.backup;

import io.ledgerkeep.Bytes;
import java.util.Locale;

/**
 * A file of a backup, as its manifest names it.
 *
 * @param content what is in it
 * @param number counted from 1 among the files of this content
 * @param heights of which blocks, or {@link HeightRange#NONE} where it is of no blocks
 * @param totals what it has; for the registry of keys bytes and digest only
 */
record BackupFile(Content content, int number, HeightRange heights, RowTotals totals) {

  /** What a file holds. */
  enum Content {
    /** Metas and bodies. */
    BLOCKS,
    /** Entries of the indexes. */
    INDEX,
    /** Records of the block database. */
    RECORDS,
    /** The whole state database. */
    STATE,
    /** The whole history database. */
    HISTORY,
    /** The registry of keys. */
    KEYS;

    String lowerCaseName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final String KEYS_NAME = "KEYS";

  String name() {
    return name(content, number);
  }

  static String name(Content content, int number) {
    return content == Content.KEYS
        ? KEYS_NAME
        : "%s-%06d.lkb".formatted(content.lowerCaseName(), number);
  }

  /** Returns the rest of the line that names the file. */
  String line() {
    return "%s %d %d %d %d %d %d %s"
        .formatted(
            content.lowerCaseName(),
            number,
            heights.first(),
            heights.last(),
            totals.rows(),
            totals.rawBytes(),
            totals.bytes(),
            totals.digest().hex());
  }

  /** Returns what {@link #line} gave. */
  static BackupFile of(String line) {
    String[] words = line.split(" ", -1);
    if (words.length != 8) {
      throw new IllegalArgumentException("no line of a file");
    }
    return new BackupFile(
        Content.valueOf(words[0].toUpperCase(Locale.ROOT)),
        Integer.parseInt(words[1]),
        new HeightRange(Long.parseLong(words[2]), Long.parseLong(words[3])),
        new RowTotals(
            Long.parseLong(words[4]),
            Long.parseLong(words[5]),
            Long.parseLong(words[6]),
            Bytes.fromHex(words[7])));
  }
}
