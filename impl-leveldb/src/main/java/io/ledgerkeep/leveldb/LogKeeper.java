package io.ledgerkeep.leveldb;

import io.ledgerkeep.storage.StorageEngine.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Keeps writes of the two durabilities in different logs, and a file that tells which ones the logs
 * hold: {@code BUFFERED} is there when they hold buffered writes only.
 *
 * <p>A power cut may take any page of a log that was not synced, and leave later ones. In a log of
 * buffered writes that is no damage: what comes after is cut away. In a log of durable writes it
 * is. A log that held both could not be judged; and a log that is full is closed without a sync, so
 * buffered writes in it could be lost while a durable write after them, in the next log, is kept.
 *
 * <p>So before a write of the other kind everything in the logs is flushed to tables, which takes
 * some milliseconds. The ledger never mixes: its block database writes durably, the others do not.
 */
final class LogKeeper {

  private static final String MARKER = "BUFFERED";

  private final Path directory;
  private final Runnable flush;

  // Held for reading while writing; for writing while the kind changes. It lets a change have its
  // turn while writes go on coming.
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private Durability kind;

  /**
   * Creates the keeper of an open store, whose logs are empty.
   *
   * @param flush turns what is in the logs into tables
   */
  LogKeeper(Path directory, Runnable flush) {
    this.directory = directory;
    this.flush = flush;
    this.kind = holdBufferedOnly(directory) ? Durability.BUFFERED : Durability.DURABLE;
  }

  /** Returns whether the logs of the store hold buffered writes only. */
  static boolean holdBufferedOnly(Path directory) {
    return Files.exists(directory.resolve(MARKER));
  }

  /** Runs the write with a log that takes writes of its kind. */
  void write(Durability durability, Runnable write) {
    if (!writeIfSame(durability, write)) {
      lock.writeLock().lock();
      try {
        if (kind != durability) {
          change(durability);
        }
        write.run();
      } finally {
        lock.writeLock().unlock();
      }
    }
  }

  private boolean writeIfSame(Durability durability, Runnable write) {
    lock.readLock().lock();
    try {
      boolean isSame = kind == durability;
      if (isSame) {
        write.run();
      }
      return isSame;
    } finally {
      lock.readLock().unlock();
    }
  }

  private void change(Durability to) {
    flush.run();
    try {
      if (to == Durability.BUFFERED) {
        Files.write(directory.resolve(MARKER), new byte[0]);
      } else {
        Files.deleteIfExists(directory.resolve(MARKER));
      }
      StoreFiles.sync(directory);
    } catch (IOException e) {
      throw LevelDbErrors.file("noting the kind of the logs of " + directory, e);
    }
    kind = to;
  }
}
