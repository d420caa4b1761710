package io.ledgerkeep.cli;

import io.ledgerkeep.cli.interchange.InterchangeException;
import io.ledgerkeep.cli.report.FileTrouble;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How a command that did not succeed is told.
 *
 * @param exitCode one of {@link ExitCode}
 * @param error the kind of failure, in one word, for programs
 * @param message for people
 */
record Failure(int exitCode, String error, String message) {

  static Failure of(Throwable thrown) {
    if (thrown instanceof CommandException e) {
      return e.failure();
    }
    if (thrown instanceof LedgerkeepException e) {
      return of(e);
    }
    if (thrown instanceof InterchangeException e) {
      return new Failure(ExitCode.FAILED, "input", text(e));
    }
    if (thrown instanceof UncheckedIOException e && e.getCause() != null) {
      return of(e.getCause());
    }
    if (thrown instanceof IOException e) {
      return new Failure(ExitCode.FAILED, "failed", FileTrouble.of(e));
    }
    if (thrown instanceof OutOfMemoryError) {
      return new Failure(
          ExitCode.FAILED, "failed", "not enough memory: give Java more of it with -Xmx");
    }
    return new Failure(ExitCode.FAILED, "failed", "unexpected: " + thrown);
  }

  private static Failure of(LedgerkeepException thrown) {
    if (thrown instanceof ConfigurationException) {
      return new Failure(ExitCode.USAGE, "configuration", text(thrown));
    }
    if (thrown instanceof ConflictException e) {
      return switch (e.reason()) {
        case LOCKED, JOB_RUNNING -> new Failure(ExitCode.LOCKED, "locked", text(e));
        default -> new Failure(ExitCode.REFUSED, "refused", text(e));
      };
    }
    if (thrown instanceof IntegrityException) {
      return new Failure(ExitCode.INTEGRITY, "integrity", text(thrown));
    }
    if (thrown instanceof KeyUnavailableException) {
      return new Failure(ExitCode.REFUSED, "key", text(thrown));
    }
    if (thrown instanceof UnsupportedFormatException) {
      return new Failure(ExitCode.REFUSED, "format", text(thrown));
    }
    if (thrown instanceof ArchivedException) {
      return new Failure(ExitCode.FAILED, "archived", text(thrown));
    }
    return new Failure(ExitCode.FAILED, "storage", text(thrown));
  }

  private static String text(Throwable thrown) {
    String message = thrown.getMessage();
    return message == null ? thrown.getClass().getSimpleName() : message;
  }

  Map<String, Object> asJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("error", error);
    json.put("message", message);
    json.put("exitCode", exitCode);
    return json;
  }
}
