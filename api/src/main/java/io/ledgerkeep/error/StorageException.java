package io.ledgerkeep.error;

import java.util.OptionalLong;

/**
 * An engine, a disk or an archive store failed. What to do: where {@link #isRetryable()}, call
 * again; where {@link #isOutOfSpace()}, make room first; else an operator has to look.
 */
public final class StorageException extends LedgerkeepException {

  private static final long serialVersionUID = 1L;
  private static final long NONE = -1;

  /** How the same call would fare if it were made again. */
  public enum Kind {
    /** The same call may succeed. */
    RETRYABLE,
    /** The same call may succeed once there is room. */
    OUT_OF_SPACE,
    /** The object has to be closed and opened again, or an operator has to look. */
    FATAL
  }

  private final Kind kind;
  private final long committedHeight;

  /** Creates an exception that speaks of no committed height. */
  public StorageException(Kind kind, String message) {
    super(message);
    this.kind = kind;
    this.committedHeight = NONE;
  }

  /** Creates an exception that speaks of no committed height, with the failure behind it. */
  public StorageException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.committedHeight = NONE;
  }

  /**
   * Creates the exception of a commit that failed after its commit point: the block <em>is</em>
   * committed.
   */
  public StorageException(Kind kind, String message, Throwable cause, long committedHeight) {
    super(message, cause);
    this.kind = kind;
    this.committedHeight = committedHeight;
  }

  /** Returns whether the same call may succeed when made again. */
  public boolean isRetryable() {
    return kind != Kind.FATAL;
  }

  /** Returns whether the failure was for want of room. */
  public boolean isOutOfSpace() {
    return kind == Kind.OUT_OF_SPACE;
  }

  /**
   * Returns the height that is durably committed although the call failed, or empty when the call
   * changed nothing.
   */
  public OptionalLong committedHeight() {
    return committedHeight == NONE ? OptionalLong.empty() : OptionalLong.of(committedHeight);
  }
}
