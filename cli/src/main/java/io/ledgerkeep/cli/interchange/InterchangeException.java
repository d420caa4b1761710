package io.ledgerkeep.cli.interchange;

import java.io.IOException;

/** The text is not in the interchange format; says in which line and which field. */
public final class InterchangeException extends IOException {

  private static final long serialVersionUID = 1L;

  private final long line;
  private final String field;

  InterchangeException(long line, String field, String problem, Throwable cause) {
    super("line " + line + (field.isEmpty() ? "" : ", field " + field) + ": " + problem, cause);
    this.line = line;
    this.field = field;
  }

  /** Returns the number of the line, from 1. */
  public long line() {
    return line;
  }

  /**
   * Returns the path of the field, such as {@code transactions[3].payload}, or an empty text where
   * the line as a whole is at fault.
   */
  public String field() {
    return field;
  }
}
