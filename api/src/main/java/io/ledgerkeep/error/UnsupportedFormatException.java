package io.ledgerkeep.error;

/**
 * Data was written in a format, or with an algorithm, that this release does not know. Nothing was
 * changed. What to do: use the release that the message names, or a newer one.
 */
public final class UnsupportedFormatException extends LedgerkeepException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message that names the format found and those known. */
  public UnsupportedFormatException(String message) {
    super(message);
  }
}
