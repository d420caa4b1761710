package io.ledgerkeep.core.store;

import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Turns failures of the file system into ours. */
final class StoreErrors {

  /** With less room than this a failed write is for want of room, in whatever language it says. */
  private static final long NO_ROOM_BYTES = 256 << 10;

  private StoreErrors() {}

  /**
   * Returns the exception for a failure.
   *
   * @param what what failed, as the beginning of a sentence
   * @param directory a directory on the file system concerned
   */
  static StorageException of(String what, Path directory, IOException e) {
    String reason = what + ": " + e;
    if (isOutOfSpace(e)) {
      return new StorageException(Kind.OUT_OF_SPACE, reason + "; make room and call again", e);
    }
    if (e instanceof ClosedByInterruptException) {
      return new StorageException(Kind.RETRYABLE, what + ": the thread was interrupted", e);
    }
    if (e instanceof AccessDeniedException) {
      return new StorageException(Kind.FATAL, reason + "; access to it is denied", e);
    }
    return new StorageException(Kind.RETRYABLE, reason, e);
  }

  /** Returns the exception for a failed write; a full file system is told as such. */
  static StorageException ofWrite(String what, Path directory, IOException e) {
    boolean full = !(e instanceof ClosedByInterruptException) && hasNoRoom(directory);
    return full
        ? new StorageException(
            Kind.OUT_OF_SPACE, what + ": no space left; make room and call again", e)
        : of(what, directory, e);
  }

  private static boolean isOutOfSpace(IOException e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("No space left") || message.contains("quota exceeded");
  }

  private static boolean hasNoRoom(Path directory) {
    try {
      return Files.getFileStore(directory).getUsableSpace() < NO_ROOM_BYTES;
    } catch (IOException e) {
      return false;
    }
  }
}
