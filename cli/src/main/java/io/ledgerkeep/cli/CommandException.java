package io.ledgerkeep.cli;

/** Ends a command for a reason that only the command line knows. */
final class CommandException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int exitCode;
  private final String error;

  private CommandException(int exitCode, String error, String message) {
    super(message);
    this.exitCode = exitCode;
    this.error = error;
  }

  static CommandException failed(String message) {
    return new CommandException(ExitCode.FAILED, "failed", message);
  }

  static CommandException notFound(String message) {
    return new CommandException(ExitCode.FAILED, "not-found", message);
  }

  static CommandException usage(String message) {
    return new CommandException(ExitCode.USAGE, "usage", message);
  }

  static CommandException refused(String message) {
    return new CommandException(ExitCode.REFUSED, "refused", message);
  }

  static CommandException locked(String message) {
    return new CommandException(ExitCode.LOCKED, "locked", message);
  }

  static CommandException interrupted(String message) {
    return new CommandException(ExitCode.INTERRUPTED, "interrupted", message);
  }

  Failure failure() {
    return new Failure(exitCode, error, String.valueOf(getMessage()));
  }
}
