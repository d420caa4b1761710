package io.ledgerkeep.error;

/**
 * A key that is needed is not there, is not the right one, or must not be used any more. Nothing
 * was served, nothing was changed. What to do: depends on {@link #reason()}.
 */
public final class KeyUnavailableException extends LedgerkeepException {

  private static final long serialVersionUID = 1L;

  /** Why the key cannot be used. */
  public enum Reason {
    /** No key was given, or there is none where it should lie. Give it. */
    MISSING,
    /** The key is not the one that the data were sealed under. Give that one. */
    WRONG,
    /** The key is disabled, destroyed or used up. Enable it, or rotate to a new one. */
    RETIRED,
    /** The device that holds the key does not answer. Try again when it does. */
    UNREACHABLE;

    /** Returns whether the data may be to blame: with a key at hand, they do not open. */
    public boolean tellsOfData() {
      return this == WRONG || this == RETIRED;
    }
  }

  private final Reason reason;

  /** Creates the exception with a message that says which key, and what to do; no secrets. */
  public KeyUnavailableException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** Creates the exception with the failure that lies behind it. */
  public KeyUnavailableException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /** Returns why the key cannot be used. */
  public Reason reason() {
    return reason;
  }
}
