package io.ledgerkeep.cli.report;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Says what a file did not do. */
public final class FileTrouble {

  private FileTrouble() {}

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
