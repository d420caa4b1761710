package io.ledgerkeep.error;

/**
 * What was asked contradicts what is there, and was refused; nothing was changed. What to do:
 * depends on {@link #reason()}.
 */
public final class ConflictException extends LedgerkeepException {

  private static final long serialVersionUID = 1L;

  /** Why the request was refused. */
  public enum Reason {
    /** Another process, or another opener in this one, owns the ledger. Wait or stop it. */
    LOCKED,
    /** Another maintenance job runs on this ledger. Wait for it or cancel it. */
    JOB_RUNNING,
    /** A block does not continue the chain, or differs from the one committed at its height. */
    BLOCK,
    /** A transaction id is already used in the chain. */
    DUPLICATE_TRANSACTION,
    /** The heights asked for are protected: too new, genesis or config. */
    PROTECTED,
    /** The directory holds another chain or another ledger than expected. */
    OTHER_CHAIN,
    /** The archive is not the one this ledger last wrote: absent, empty, older or foreign. */
    ARCHIVE,
    /** Something of that name already exists. */
    EXISTS,
    /** A key is not in the state for it: active, in use, exposed, or not disabled. */
    KEY,
    /** The ledger was moved to another directory, which the message names. */
    MOVED
  }

  private final Reason reason;

  /** Creates the exception with a message that says what was expected and what was found. */
  public ConflictException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** Returns why the request was refused. */
  public Reason reason() {
    return reason;
  }
}
