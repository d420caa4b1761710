package io.ledgerkeep.error;

/**
 * The body asked for was moved to the archive and read-through is off. What to do: read it from the
 * archive at {@link #place()}, turn read-through on, or restore the height.
 *
 * <p>The message is exactly {@code archived block}, {@code archived transaction} or {@code archived
 * RWSet}; height and place are accessors.
 */
public final class ArchivedException extends LedgerkeepException {

  private static final long serialVersionUID = 1L;

  /** What was asked for. */
  public enum Subject {
    /** A whole block. */
    BLOCK("archived block"),
    /** One transaction. */
    TRANSACTION("archived transaction"),
    /** The read/write set of one transaction. */
    RW_SET("archived RWSet");

    private final String message;

    Subject(String message) {
      this.message = message;
    }
  }

  private final Subject subject;
  private final long height;
  private final String place;

  /**
   * Creates the exception.
   *
   * @param height the height of the block that holds what was asked for
   * @param place where the archive lies, or an empty string where none is configured
   */
  public ArchivedException(Subject subject, long height, String place) {
    super(subject.message);
    this.subject = subject;
    this.height = height;
    this.place = place;
  }

  /** Returns what was asked for. */
  public Subject subject() {
    return subject;
  }

  /** Returns the height of the block that holds what was asked for. */
  public long height() {
    return height;
  }

  /** Returns where the archive lies, or an empty string where none is configured. */
  public String place() {
    return place;
  }
}
