package io.ledgerkeep.crypto.soft;

/** A library of the system that would be of use is not there, or too old to be. */
final class LibraryMissingException extends RuntimeException {

  LibraryMissingException(String message) {
    super(message);
  }

  LibraryMissingException(String message, Throwable cause) {
    super(message, cause);
  }
}
