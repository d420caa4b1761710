package io.ledgerkeep.cli.report;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Says what a file did not do. */
public final class FileTrouble {

  private FileTrouble() {}

  /** Returns what was thrown, with the file's name: the JDK tells of a full disk without one. */
  public static IOException tellingWhere(Path file, IOException thrown) {
    if (!String.valueOf(thrown.getMessage()).startsWith("No space left")) {
      return thrown;
    }
    IOException full =
        new FileSystemException(
            file.toString(), null, "no space left on the disk; make room or choose another disk");
    full.initCause(thrown);
    return full;
  }

  /** Returns it in words: the JDK's own messages are often the file's name alone. */
  public static String of(IOException thrown) {
    if (thrown instanceof NoSuchFileException e) {
      return "there is no file " + e.getFile();
    }
    if (thrown instanceof AccessDeniedException e) {
      return "no permission for " + e.getFile();
    }
    if (thrown instanceof FileSystemException e && e.getReason() != null) {
      return e.getReason() + ": " + e.getFile();
    }
    String message = thrown.getMessage();
    return message == null ? thrown.getClass().getSimpleName() : message;
  }
}
