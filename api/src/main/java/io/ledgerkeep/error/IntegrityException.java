package io.ledgerkeep.error;

/**
 * Stored bytes are not what was written: a checksum, digest, count or link does not fit, or
 * something that must be there is missing. Nothing of it was served. What to do: stop, keep the
 * files, turn to another copy.
 */
public final class IntegrityException extends LedgerkeepException {

  private static final long serialVersionUID = 1L;

  /** Creates the exception with a message that says where, what was expected and what was found. */
  public IntegrityException(String message) {
    super(message);
  }

  /** Creates the exception with the failure that lies behind it. */
  public IntegrityException(String message, Throwable cause) {
    super(message, cause);
  }
}
