package io.ledgerkeep.core.files;

import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/** Replaces small files whole: after a crash there is the old content or the new one. */
public final class SmallFile {

  private SmallFile() {}

  /** Replaces the file; the new content is durable when the call returns. */
  public static void replaceDurably(Path file, byte[] content) {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try {
      writeSynced(fresh, content);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
      syncDirectory(directoryOf(file));
    } catch (IOException e) {
      throw failed("cannot replace " + file, e);
    }
  }

  /** Replaces the file for readers; a crash of the machine may lose old and new. */
  public static void replace(Path file, byte[] content) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.write(fresh, content);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Makes new, renamed and removed names of a directory durable. */
  public static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Returns the failure as what the API tells. */
  public static StorageException failed(String what, IOException e) {
    return isOutOfSpace(e)
        ? new StorageException(
            StorageException.Kind.OUT_OF_SPACE,
            what + ": " + reason(e) + "; make room and call again",
            e)
        : new StorageException(StorageException.Kind.FATAL, what + ": " + reason(e), e);
  }

  /** Returns whether the failure was for want of room: the JDK tells it in words only. */
  public static boolean isOutOfSpace(IOException e) {
    String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("no space left") || message.contains("quota exceeded");
  }

  private static String reason(IOException e) {
    String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
    return reason == null ? e.getClass().getSimpleName() : reason;
  }

  private static void writeSynced(Path file, byte[] content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.wrap(content);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
  }

  private static Path directoryOf(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " is no file");
    }
    return parent;
  }
}
