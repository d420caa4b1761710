package io.ledgerkeep.core.store;

import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to write an object: a hidden file beside it that becomes the object at the end, or is
 * removed. For one thread.
 *
 * <p>The attempt holds a lock on its file. A leftover of a dead process has none, so it can be told
 * from the file of a writer in another process, and removed.
 */
final class PartFile implements AutoCloseable {

  private static final String SUFFIX = ".part";
  private static final int WRITE_BYTES = 256 << 10;

  /** The files of this process: closing another channel of one of them would drop its lock. */
  private static final Set<Path> LIVE = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final FileChannel channel;
  private final PartStream stream = new PartStream();

  private PartFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /** Begins an attempt to write the file. */
  static PartFile create(Path target) throws IOException {
    Path directory = target.resolveSibling("").toRealPath();
    while (true) {
      String random = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
      Path path = directory.resolve("." + target.getFileName() + "." + random + SUFFIX);
      LIVE.add(path);
      FileChannel channel = null;
      try {
        channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        lock(channel);
        // Between the two lines above it may have been taken for a leftover.
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
          return new PartFile(path, channel);
        }
        discard(path, channel);
      } catch (IOException | RuntimeException e) {
        discard(path, channel);
        throw e;
      }
    }
  }

  /** Removes what attempts of processes that are no more left in the directory. */
  static void removeLeftovers(Path directory) throws IOException {
    Path real = directory.toRealPath();
    try (DirectoryStream<Path> parts = Files.newDirectoryStream(real, ".*" + SUFFIX)) {
      for (Path part : parts) {
        if (!LIVE.contains(part)) {
          removeIfDead(part);
        }
      }
    }
  }

  private static void removeIfDead(Path part) {
    // A shared lock, as the file may be read-only already; it meets the writer's exclusive one.
    try (FileChannel channel =
            FileChannel.open(part, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        FileLock lock = channel.tryLock(0, Long.MAX_VALUE, true)) {
      if (lock != null) {
        Files.deleteIfExists(part);
      }
    } catch (IOException | OverlappingFileLockException e) {
      // Somebody else's, or gone, or the next attempt removes it.
    }
  }

  private static @Nullable FileLock lock(FileChannel channel) {
    try {
      return channel.tryLock();
    } catch (IOException e) {
      // Without locks here a leftover cannot be told from a live file, and stays.
      return null;
    }
  }

  /** Returns where the content goes. */
  OutputStream stream() {
    return stream.buffered;
  }

  /** Returns whether the failure is one of this file, not one of the content's source. */
  boolean isCauseOf(@Nullable Throwable failure) {
    return failure != null && failure == stream.failure;
  }

  /** Makes the file durable and gives it its name; on return it is there after a power cut too. */
  void publish(Path target) throws IOException {
    stream.buffered.flush();
    if (stream.failure != null) {
      throw stream.failure;
    }
    if (!path.toFile().setReadOnly()) {
      throw new IOException("the read-only bit of " + path + " cannot be set");
    }
    FailPoint.pass("store.written");
    // After a failed force the pages may be lost and yet count as written: the file is given up.
    channel.force(true);
    FailPoint.pass("store.synced");
    link(target);
    FailPoint.pass("store.linked");
    try {
      Directories.sync(path.resolveSibling(""));
    } catch (IOException e) {
      Files.deleteIfExists(target);
      throw e;
    }
  }

  private void link(Path target) throws IOException {
    try {
      Files.createLink(target, path);
    } catch (FileAlreadyExistsException e) {
      throw new ConflictException(
          ConflictException.Reason.EXISTS, "the object " + target + " exists already");
    } catch (UnsupportedOperationException e) {
      throw new StorageException(
          StorageException.Kind.FATAL,
          "the file system of " + target + " has no hard links; put the archive on one that has",
          e);
    }
  }

  /** Removes the file, under this name. */
  @Override
  public void close() {
    discard(path, channel);
  }

  private static void discard(Path path, @Nullable FileChannel channel) {
    try (channel) {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // A leftover, which a later attempt removes.
    } finally {
      LIVE.remove(path);
    }
  }

  /** Writes to the channel and remembers the first failure, whatever the content makes of it. */
  private final class PartStream extends OutputStream {

    private final OutputStream buffered = new BufferedOutputStream(this, 64 << 10);
    private @Nullable IOException failure;

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        for (int at = 0; at < length; at += WRITE_BYTES) {
          int some = Math.min(WRITE_BYTES, length - at);
          ByteBuffer piece = ByteBuffer.wrap(bytes, offset + at, some);
          while (piece.hasRemaining()) {
            channel.write(piece);
          }
        }
      } catch (IOException e) {
        failure = e;
        throw e;
      }
    }
  }
}
