package io.ledgerkeep.error;

/** The root of everything Ledgerkeep throws for reasons outside the calling code. */
public abstract sealed class LedgerkeepException extends RuntimeException
    permits ArchivedException,
        ConfigurationException,
        ConflictException,
        IntegrityException,
        KeyUnavailableException,
        StorageException,
        UnsupportedFormatException {

  private static final long serialVersionUID = 1L;

  LedgerkeepException(String message) {
    super(message);
  }

  LedgerkeepException(String message, Throwable cause) {
    super(message, cause);
  }
}
