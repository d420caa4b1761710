package io.ledgerkeep.cli.interchange;

/**
 * What is wrong, on its way from the character at fault up to the line. Each level it passes adds
 * its own part of the path, so that reading what is right costs nothing for it.
 */
final class Malformed extends Exception {

  private static final long serialVersionUID = 1L;

  private String field = "";

  Malformed(String problem) {
    super(problem);
  }

  Malformed(String problem, Throwable cause) {
    super(problem, cause);
  }

  Malformed within(String name) {
    boolean bare = field.isEmpty() || field.startsWith("[");
    field = bare ? name + field : name + "." + field;
    return this;
  }

  Malformed withinElement(int index) {
    return within("[" + index + "]");
  }

  InterchangeException atLine(long line) {
    return new InterchangeException(line, field, String.valueOf(getMessage()), this);
  }
}
