package io.ledgerkeep.testkit;

/**
 * Thrown to everyone who goes on using a fake after the machine it played has crashed. An error, so
 * that no handling of failures mistakes it for one: in a real crash nothing runs any more.
 */
public final class MachineCrash extends Error {

  private static final long serialVersionUID = 1L;

  /** Creates the error with a message that says what crashed, and when. */
  public MachineCrash(String message) {
    super(message);
  }
}
