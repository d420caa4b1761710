package io.ledgerkeep;

import java.util.Locale;

/** The databases of a ledger; each has its own engine instance in its own directory. */
public enum Database {
  /** Metas, bodies, read/write sets and indexes. */
  BLOCK,
  /** The newest value of each key. */
  STATE,
  /** Which transactions wrote a key. */
  HISTORY;

  /** Returns the name in lower case, as directories and messages have it. */
  public String lowerCaseName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
