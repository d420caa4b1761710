package io.ledgerkeep.leveldb;

import io.ledgerkeep.error.ConflictException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps a store to one opener, in this process and beyond.
 *
 * <p>LevelDB locks its file {@code LOCK} for itself, but only while it is open, and the files are
 * looked at before that. So there is a lock of ours around it. Closing any handle of a locked file
 * ends the lock that the process has on it; so neither file is touched while this process has it.
 */
final class StoreLock implements AutoCloseable {

  /** The directories open in this process: the operating system tells processes apart only. */
  private static final Set<Path> TAKEN = ConcurrentHashMap.newKeySet();

  private final Path directory;
  private final FileChannel channel;

  private StoreLock(Path directory, FileChannel channel) {
    this.directory = directory;
    this.channel = channel;
  }

  /**
   * Takes the store.
   *
   * @throws ConflictException if it is taken
   */
  static StoreLock take(Path storeDirectory) throws IOException {
    Path directory = storeDirectory.toRealPath();
    if (!TAKEN.add(directory)) {
      throw LevelDbErrors.locked(storeDirectory);
    }
    boolean taken = false;
    try {
      StoreLock lock = new StoreLock(directory, locked(directory.resolve("OWNER")));
      taken = true;
      return lock;
    } finally {
      if (!taken) {
        TAKEN.remove(directory);
      }
    }
  }

  /** Other software may have opened the store with a LevelDB of its own. */
  void requireNoForeignOwner() throws IOException {
    Path foreign = directory.resolve("LOCK");
    if (Files.exists(foreign)) {
      locked(foreign).close();
    }
  }

  private static FileChannel locked(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // told below like the lock of another process
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
    if (lock == null) {
      throw LevelDbErrors.locked(file.resolveSibling(""));
    }
    return channel;
  }

  /** Gives the store free; called once. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // The lock ends with the handle, which is gone in any case.
    } finally {
      TAKEN.remove(directory);
    }
  }
}
