package io.ledgerkeep.cli;

/** What the process tells the shell. */
final class ExitCode {

  /** Done, also when there was nothing left to do. */
  static final int DONE = 0;

  static final int FAILED = 1;

  /** Wrong usage or configuration. */
  static final int USAGE = 2;

  /** Refused; nothing was changed. */
  static final int REFUSED = 3;

  static final int INTEGRITY = 4;

  /** Another process has the ledger, or another job runs on it. */
  static final int LOCKED = 5;

  /** Stopped by a signal; can be run again. */
  static final int INTERRUPTED = 130;

  private ExitCode() {}
}
