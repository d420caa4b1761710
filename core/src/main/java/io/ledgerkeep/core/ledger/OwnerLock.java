package io.ledgerkeep.core.ledger;

import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.LedgerkeepException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it that a directory has one owner, across processes and within one. The file {@code LOCK}
 * says who it is.
 */
final class OwnerLock implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(OwnerLock.class);

  /**
   * The directories owned by this process. Needed beside the file lock: on POSIX a process that
   * closes any descriptor of a file gives up its locks on it, so the file of a directory that is
   * owned here must not even be opened.
   */
  private static final Map<Object, String> OWNED_HERE = new ConcurrentHashMap<>();

  private final Object directoryKey;
  private final FileChannel channel;

  private OwnerLock(Object directoryKey, FileChannel channel) {
    this.directoryKey = directoryKey;
    this.channel = channel;
  }

  /**
   * Takes the directory.
   *
   * @throws ConflictException {@link Reason#LOCKED} with the owner's pid and start
   */
  static OwnerLock take(Path directory) {
    return take(directory, "the ledger in");
  }

  /**
   * Takes a directory of another kind.
   *
   * @param what what is in it, for messages
   */
  static OwnerLock take(Path directory, String what) {
    String self = "pid %s since %s".formatted(ProcessHandle.current().pid(), Instant.now());
    try {
      Object key = key(directory);
      String owner = OWNED_HERE.putIfAbsent(key, self);
      if (owner != null) {
        throw locked(what, directory, owner + " (this process)");
      }
      try {
        return new OwnerLock(key, lockFile(what, directory, self));
      } catch (IOException | RuntimeException e) {
        OWNED_HERE.remove(key);
        throw e;
      }
    } catch (IOException e) {
      throw failed(directory, e);
    }
  }

  /** Also who only reads takes the lock, and so writes; that comes as a surprise, so it is said. */
  static LedgerkeepException failed(Path directory, IOException e) {
    if (e instanceof AccessDeniedException || isReadOnly(e)) {
      return new ConfigurationException(
          "cannot lock "
              + directory
              + ": it must be writable for the user "
              + System.getProperty("user.name")
              + ", also to read the ledger; run as its owner, or make it writable",
          e);
    }
    return SmallFile.failed("cannot lock " + directory, e);
  }

  /** The JDK tells it in words only. */
  private static boolean isReadOnly(IOException e) {
    return String.valueOf(e.getMessage()).contains("Read-only file system");
  }

  private static Object key(Path directory) throws IOException {
    Object fileKey =
        Files.readAttributes(directory, java.nio.file.attribute.BasicFileAttributes.class)
            .fileKey();
    return fileKey == null ? directory.toRealPath() : fileKey;
  }

  private static FileChannel lockFile(String what, Path directory, String self) throws IOException {
    FileChannel channel =
        FileChannel.open(
            directory.resolve("LOCK"),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        throw locked(what, directory, read(channel));
      }
    } catch (OverlappingFileLockException e) {
      // Another class loader of this process owns it. The channel stays open: closing it would take
      // the lock away from the owner.
      throw locked(what, directory, read(channel));
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
    sayWho(channel, self, directory);
    return channel;
  }

  /** Names the owner without a moment at which nobody is named; on a full disk an old one stays. */
  private static void sayWho(FileChannel channel, String self, Path directory) {
    try {
      byte[] owner = self.getBytes(StandardCharsets.UTF_8);
      channel.write(ByteBuffer.wrap(owner), 0);
      channel.truncate(owner.length);
    } catch (IOException e) {
      LOG.warn("cannot say in {} who owns it: {}", directory.resolve("LOCK"), e.toString());
    }
  }

  private static String read(FileChannel channel) throws IOException {
    ByteBuffer owner = ByteBuffer.allocate(200);
    channel.read(owner, 0);
    String text = StandardCharsets.UTF_8.decode(owner.flip()).toString();
    return text.isBlank() ? "another process" : text;
  }

  private static ConflictException locked(String what, Path directory, String owner) {
    return new ConflictException(Reason.LOCKED, what + " " + directory + " is in use by " + owner);
  }

  @Override
  public void close() {
    if (!channel.isOpen()) {
      return; // the directory may be another's by now
    }
    try {
      channel.close();
    } catch (IOException e) {
      throw SmallFile.failed("cannot unlock", e);
    } finally {
      OWNED_HERE.remove(directoryKey);
    }
  }
}
