package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.storage.WriteBatch;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The smallest engine that several processes can reach: a log in a file, read back into memory. For
 * the tests of the contract that need a second process.
 */
public class FileStorage implements StorageEngineProvider {

  /** Keeps buffered writes to itself, as no engine may: they die with the process. */
  public static final class Hoarding extends FileStorage {
    @Override
    OutputStream log(Path file) throws IOException {
      return new BufferedOutputStream(super.log(file), 1 << 20);
    }
  }

  /** Holds its lock within the process only. */
  public static final class Unlocked extends FileStorage {
    @Override
    Path lock(Path directory) {
      return directory.resolve("lock-" + ProcessHandle.current().pid());
    }
  }

  @Override
  public String name() {
    return "file";
  }

  OutputStream log(Path file) throws IOException {
    return Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  Path lock(Path directory) {
    return directory.resolve("lock");
  }

  @Override
  public final StorageEngine open(Path directory, Options options) {
    options.onlyAllow();
    try {
      Files.createDirectories(directory);
      FileChannel lock =
          FileChannel.open(lock(directory), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (!isLocked(lock)) {
        lock.close();
        throw new ConflictException(ConflictException.Reason.LOCKED, directory + " is open");
      }
      StorageEngine memory = new InMemoryStorage(new MemoryDisk()).open(directory, options);
      Path file = directory.resolve("log");
      replay(file, memory);
      return new FileEngine(memory, log(file), lock);
    } catch (IOException e) {
      throw new StorageException(StorageException.Kind.FATAL, "cannot open " + directory, e);
    }
  }

  private static boolean isLocked(FileChannel lock) throws IOException {
    try {
      return lock.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** Applies every whole batch of the log. */
  private static void replay(Path file, StorageEngine memory) throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      while (true) {
        WriteBatch batch = new WriteBatch();
        for (int left = in.readInt(); left > 0; left--) {
          boolean put = in.readBoolean();
          Bytes key = bytes(in);
          Bytes value = bytes(in);
          if (put) {
            batch.put(key, value);
          } else {
            batch.delete(key);
          }
        }
        memory.write(batch, StorageEngine.Durability.DURABLE);
      }
    } catch (EOFException e) {
      // the end of the log, or of what a dying process wrote of its last batch
    }
  }

  private static Bytes bytes(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    return Bytes.wrap(bytes);
  }

  private static final class FileEngine extends ForwardingEngine {

    private final OutputStream log;
    private final FileChannel lock;

    FileEngine(StorageEngine memory, OutputStream log, FileChannel lock) {
      super(memory);
      this.log = log;
      this.lock = lock;
    }

    @Override
    public synchronized void write(WriteBatch batch, Durability durability) {
      sound.write(batch, durability);
      append(batch, durability);
    }

    @Override
    public synchronized void deleteRange(KeyRange range) {
      WriteBatch deletions = new WriteBatch();
      entries(range).forEach(entry -> deletions.delete(entry.getKey()));
      sound.deleteRange(range);
      append(deletions, Durability.DURABLE);
    }

    private void append(WriteBatch batch, Durability durability) {
      try {
        log.write(encoded(batch));
        if (durability == Durability.DURABLE) {
          log.flush();
        }
      } catch (IOException e) {
        throw new StorageException(StorageException.Kind.FATAL, "cannot write the log", e);
      }
    }

    private static byte[] encoded(WriteBatch batch) throws IOException {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(bytes);
      out.writeInt(batch.size());
      batch.forEach(
          new WriteBatch.Visitor() {
            @Override
            public void put(Bytes key, Bytes value) {
              mutation(out, true, key, value);
            }

            @Override
            public void delete(Bytes key) {
              mutation(out, false, key, Bytes.EMPTY);
            }
          });
      return bytes.toByteArray();
    }

    private static void mutation(DataOutputStream out, boolean put, Bytes key, Bytes value) {
      try {
        out.writeBoolean(put);
        out.writeInt(key.size());
        key.writeTo(out);
        out.writeInt(value.size());
        value.writeTo(out);
      } catch (IOException e) {
        throw new AssertionError("writing to memory does not fail", e);
      }
    }

    @Override
    public synchronized void close() {
      try {
        sound.close();
        log.close();
        lock.close();
      } catch (IOException e) {
        throw new StorageException(StorageException.Kind.FATAL, "cannot close the log", e);
      }
    }
  }
}
