package io.ledgerkeep.logback;

import io.ledgerkeep.error.ConfigurationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The file of a log, held against other processes: if two rotated one file, lines of the one would
 * go with what the other compresses. Whoever comes second takes another name.
 */
final class ClaimedFile implements AutoCloseable {

  private static final int MOST = 100;

  /** To close a second channel on a lock's file would release the lock of the first. */
  private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final Path lock;
  private final FileChannel channel;

  private ClaimedFile(Path path, Path lock, FileChannel channel) {
    this.path = path;
    this.lock = lock;
    this.channel = channel;
  }

  /**
   * Takes the file, or one with a number in its name if that is taken.
   *
   * @throws ConfigurationException if it cannot be written there
   */
  static ClaimedFile of(Path wanted) {
    Path file = wanted.toAbsolutePath().normalize();
    try {
      Files.createDirectories(file.getParent());
      for (int number = 1; number <= MOST; number++) {
        ClaimedFile claimed = claim(number == 1 ? file : numbered(file, number));
        if (claimed != null) {
          return claimed;
        }
      }
    } catch (IOException e) {
      throw new ConfigurationException("the log cannot be written to " + file + ": " + e, e);
    }
    throw new ConfigurationException(
        "%d processes have their logs at %s already; give this one another file"
            .formatted(MOST, file));
  }

  private static Path numbered(Path file, int number) {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length();
    return file.resolveSibling(name.substring(0, dot) + "-" + number + name.substring(dot));
  }

  private static @Nullable ClaimedFile claim(Path path) throws IOException {
    Path lock = path.resolveSibling(path.getFileName() + ".lock");
    if (!OURS.add(lock)) {
      return null;
    }
    FileChannel channel = null;
    try {
      channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (channel.tryLock() != null) {
        Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND).close();
        return new ClaimedFile(path, lock, channel);
      }
    } catch (IOException e) {
      release(lock, channel);
      throw e;
    }
    release(lock, channel);
    return null;
  }

  private static void release(Path lock, @Nullable FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      OURS.remove(lock);
    }
  }

  Path path() {
    return path;
  }

  /** Leaves the empty file of the lock: who removes it may take it from somebody who just came. */
  @Override
  public void close() {
    release(lock, channel);
  }
}
