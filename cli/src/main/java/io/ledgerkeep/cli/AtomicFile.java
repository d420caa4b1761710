package io.ledgerkeep.cli;

import io.ledgerkeep.cli.report.FileTrouble;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;

/**
 * Replaces a file as a whole: whoever looks sees the old content or the new, also after a crash.
 */
final class AtomicFile {

  /** As many as Linux follows. */
  private static final int MAX_LINKS = 40;

  private AtomicFile() {}

  /** Writes the content to a stream and returns what there is to tell of it. */
  interface Content<T> {
    T writeTo(OutputStream out) throws IOException;
  }

  /** Replaces a file that is no secret. */
  static <T> T replace(Path file, Content<T> content) throws IOException {
    return replace(file, false, content);
  }

  /**
   * Replaces the file by the content; when this throws, the file is as it was. A device or a pipe
   * is written to, since it cannot be replaced.
   *
   * @param secret whether nobody but the owner may read it
   */
  static <T> T replace(Path file, boolean secret, Content<T> content) throws IOException {
    if (!isReplaceable(file)) {
      try (OutputStream out = Files.newOutputStream(file)) {
        return content.writeTo(out);
      }
    }
    Path target = target(file);
    Path directory = target.resolveSibling("");
    Path part = directory.resolve("." + target.getFileName() + "." + UUID.randomUUID() + ".part");
    try {
      if (secret) {
        createForOwner(part);
      }
      T result = writeSynced(part, content);
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      sync(directory);
      return result;
    } catch (IOException e) {
      throw FileTrouble.tellingWhere(target, e);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Returns whether there is no such file yet, or one that is not a device or a pipe. */
  static boolean isReplaceable(Path file) {
    return !Files.exists(file) || Files.isRegularFile(file);
  }

  /**
   * Returns the real path of what {@link #replace} would replace or make: of a symbolic link what
   * it points to, be it there or not.
   */
  static Path target(Path file) throws IOException {
    Path target = file;
    for (int links = 0; links < MAX_LINKS; links++) {
      if (Files.exists(target)) {
        return target.toRealPath();
      }
      Path here = realDirectory(target).resolve(target.getFileName());
      if (!Files.isSymbolicLink(here)) {
        return here;
      }
      target = here.resolveSibling(Files.readSymbolicLink(here));
    }
    throw new FileSystemException(file.toString(), null, "symbolic links lead in a circle");
  }

  private static Path realDirectory(Path file) throws IOException {
    Path directory = file.toAbsolutePath().resolveSibling("");
    if (!Files.isDirectory(directory)) {
      throw new FileSystemException(directory.toString(), null, "there is no directory");
    }
    return directory.toRealPath();
  }

  private static void createForOwner(Path part) throws IOException {
    if (part.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.createFile(
          part, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } else {
      Files.createFile(part);
    }
  }

  private static <T> T writeSynced(Path part, Content<T> content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      T result = content.writeTo(staysOpen(Channels.newOutputStream(channel)));
      channel.force(true);
      return result;
    }
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
      names.force(true);
    }
  }

  /** Compressing streams close what they write to, but the channel has to be synced after. */
  private static OutputStream staysOpen(OutputStream out) {
    return new FilterOutputStream(out) {
      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
      }

      @Override
      public void close() throws IOException {
        flush();
      }
    };
  }
}
