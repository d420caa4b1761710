package io.ledgerkeep.core.store;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import com.google.common.cache.RemovalNotification;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Keeps files open for reading, up to a number. Serves any number of threads. */
final class OpenFiles {

  private static final int MAX_FILES = 64;
  private static final int READ_BYTES = 256 << 10;

  private final Cache<Path, FileChannel> channels =
      CacheBuilder.newBuilder()
          .maximumSize(MAX_FILES)
          .removalListener(
              (RemovalNotification<Path, FileChannel> removed) -> closeQuietly(removed.getValue()))
          .build();
  private volatile boolean closed;

  /**
   * Reads what lies within the file of the range asked for.
   *
   * <p>A channel may be closed under a reader: to stay within the number, or because another reader
   * of it was interrupted. Then it is opened anew.
   */
  byte[] read(Path file, long offset, int length) throws IOException {
    while (true) {
      FileChannel channel = channel(file);
      try {
        return read(channel, offset, length);
      } catch (ClosedByInterruptException e) {
        channels.asMap().remove(file, channel);
        throw e;
      } catch (ClosedChannelException e) {
        channels.asMap().remove(file, channel);
        if (closed) {
          throw e;
        }
      }
    }
  }

  private static byte[] read(FileChannel channel, long offset, int length) throws IOException {
    long within = Math.max(0, Math.min(length, channel.size() - offset));
    byte[] bytes = new byte[(int) within];
    int at = 0;
    while (at < bytes.length) {
      // In pieces, as the JDK keeps a buffer as large as the largest read for every thread.
      ByteBuffer piece = ByteBuffer.wrap(bytes, at, Math.min(READ_BYTES, bytes.length - at));
      int read = channel.read(piece, offset + at);
      if (read < 0) {
        return Arrays.copyOf(bytes, at);
      }
      at += read;
    }
    return bytes;
  }

  private FileChannel channel(Path file) throws IOException {
    FileChannel open = channels.getIfPresent(file);
    if (open != null) {
      return open;
    }
    FileChannel mine = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
    FileChannel first = channels.asMap().putIfAbsent(file, mine);
    if (first != null) {
      mine.close();
      return first;
    }
    if (closed) {
      close();
    }
    return mine;
  }

  /** Returns whether the file is open. */
  boolean holds(Path file) {
    return channels.getIfPresent(file) != null;
  }

  /** Closes the file if it is open. */
  void forget(Path file) {
    channels.invalidate(file);
  }

  /** Closes all files, also those that are being opened now. */
  void close() {
    closed = true;
    channels.invalidateAll();
  }

  private static void closeQuietly(@Nullable FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // Nothing was written through it, so nothing can be lost.
    }
  }
}
