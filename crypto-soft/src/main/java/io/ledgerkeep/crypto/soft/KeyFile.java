package io.ledgerkeep.crypto.soft;

import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.KeyUnavailableException.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that holds exactly the bytes of a master key. It is emptied when the key has proven right,
 * so that who later takes the disk does not take the key with it.
 *
 * <p>Bytes go through buffers outside of the heap that are wiped here: over an array, a channel
 * would keep a buffer of its own.
 */
final class KeyFile {

  private static final Logger LOG = LoggerFactory.getLogger(KeyFile.class);

  private static final Set<PosixFilePermission> OWNERS_ONLY =
      Set.of(
          PosixFilePermission.OWNER_READ,
          PosixFilePermission.OWNER_WRITE,
          PosixFilePermission.OWNER_EXECUTE);

  /** The longest end of a line, which an editor adds. */
  private static final int END_OF_LINE = 2;

  private static final String HINT =
      "; it ends with a line break: write the file without one, as printf '%s' does";

  private final Path path;
  private final boolean emptying;
  private final SecureRandom random;

  /**
   * Creates the file's keeper; nothing is read.
   *
   * @param emptying whether {@link #empty} empties the file
   */
  KeyFile(Path path, boolean emptying, SecureRandom random) {
    this.path = path;
    this.emptying = emptying;
    this.random = random;
  }

  String place() {
    return "key file " + path;
  }

  /**
   * Returns the key, which the caller wipes.
   *
   * @throws ConfigurationException if others can read or change the file, or its length is wrong
   * @throws KeyUnavailableException if there is no file, it cannot be read, or it is empty
   */
  byte[] read(KeyLengths lengths) {
    try {
      checkKeeping();
      try (FileChannel channel = open(StandardOpenOption.READ)) {
        return key(channel, lengths);
      }
    } catch (NoSuchFileException e) {
      throw missing("there is no " + place() + ": write the key into it", e);
    } catch (IOException e) {
      throw missing("the " + place() + " cannot be read: " + reason(e), e);
    }
  }

  private static KeyUnavailableException missing(String message, IOException cause) {
    return new KeyUnavailableException(Reason.MISSING, message, cause);
  }

  private static String reason(IOException e) {
    return e.getClass().getSimpleName() + " " + e.getMessage();
  }

  /** Refuses a file that somebody else may know or change. */
  private void checkKeeping() throws IOException {
    BasicFileAttributes attributes =
        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!attributes.isRegularFile()) {
      throw refused("is no regular file" + (attributes.isSymbolicLink() ? " but a link" : ""));
    }
    if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      checkPermissions();
    }
    if (emptying && !Files.isWritable(path)) {
      throw refused(
          "cannot be written, so it could not be emptied: set '"
              + MasterKeys.EMPTY_KEY_FILE
              + "' to false if the key is to stay there");
    }
  }

  private void checkPermissions() throws IOException {
    PosixFileAttributes file =
        Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!OWNERS_ONLY.containsAll(file.permissions())) {
      throw refused("is open to others: 'chmod 600' it, and think of the key as known");
    }
    if (!file.owner().equals(ownUser())) {
      throw refused("belongs to " + file.owner().getName() + " and not to who runs this process");
    }
    Path directory = path.toAbsolutePath().getParent();
    if (directory != null
        && Files.getPosixFilePermissions(directory).contains(PosixFilePermission.OTHERS_WRITE)) {
      throw refused("lies in a directory that everybody can write to: move it to one of its own");
    }
  }

  /** Returns who runs this process: as the kernel has it, else as the JVM was told. */
  private UserPrincipal ownUser() throws IOException {
    Path self = Path.of("/proc/self");
    return Files.exists(self)
        ? Files.getOwner(self)
        : path.getFileSystem()
            .getUserPrincipalLookupService()
            .lookupPrincipalByName(System.getProperty("user.name"));
  }

  private ConfigurationException refused(String why) {
    return new ConfigurationException("the " + place() + " " + why);
  }

  private FileChannel open(OpenOption... options) throws IOException {
    Set<OpenOption> all = new HashSet<>(Set.of(options));
    all.add(LinkOption.NOFOLLOW_LINKS);
    return FileChannel.open(path, all);
  }

  private byte[] key(FileChannel channel, KeyLengths lengths) throws IOException {
    long size = channel.size();
    if (size == 0) {
      throw new KeyUnavailableException(
          Reason.MISSING,
          "the "
              + place()
              + " is empty: an earlier start emptied it, and the key has to be written"
              + " into it again");
    }
    byte[] content = content(channel, (int) Math.min(size, lengths.most() + END_OF_LINE));
    if (lengths.allow(size)) {
      return content;
    }
    String hint = lineEndsBehindKey(content, size, lengths) ? HINT : "";
    Arrays.fill(content, (byte) 0);
    throw lengths.refusal(size, place(), hint);
  }

  private static boolean lineEndsBehindKey(byte[] content, long size, KeyLengths lengths) {
    int length = content.length;
    if (size != length || content[length - 1] != '\n') {
      return false;
    }
    return lengths.allow(length - 1) || (lengths.allow(length - 2) && content[length - 2] == '\r');
  }

  /** Returns the first bytes of the file. */
  private static byte[] content(FileChannel channel, int size) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(size);
    try {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, buffer.position()) < 0) {
          throw new EOFException("the file became shorter");
        }
      }
      byte[] content = new byte[size];
      buffer.flip().get(content);
      return content;
    } finally {
      buffer.clear().put(new byte[size]);
    }
  }

  /**
   * Empties the file, if that is wanted and it still holds the key.
   *
   * @throws KeyUnavailableException if it cannot be emptied
   */
  void empty(byte[] key) {
    if (!emptying) {
      LOG.warn("the {} stays as it is: who takes it with the disk can read everything", place());
      return;
    }
    try (FileChannel channel = open(StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      if (channel.size() == 0) {
        return;
      }
      if (holds(channel, key)) {
        overwrite(channel, key.length);
        LOG.info("the {} was emptied: the next start needs the key in it again", place());
      } else {
        LOG.warn("the {} was not emptied: another key was written into it meanwhile", place());
      }
    } catch (NoSuchFileException e) {
      LOG.info("the {} is gone, so it was not emptied", place());
    } catch (IOException e) {
      throw new KeyUnavailableException(
          Reason.UNREACHABLE,
          "the "
              + place()
              + " still holds the key, as it could not be emptied: "
              + reason(e)
              + "; empty it by hand",
          e);
    }
  }

  private static boolean holds(FileChannel channel, byte[] key) throws IOException {
    if (channel.size() != key.length) {
      return false;
    }
    byte[] content = content(channel, key.length);
    try {
      return MessageDigest.isEqual(content, key);
    } finally {
      Arrays.fill(content, (byte) 0);
    }
  }

  /** Synced in between, or the disk would see the last step only. */
  private void overwrite(FileChannel channel, int size) throws IOException {
    byte[] noise = new byte[size];
    random.nextBytes(noise);
    for (byte[] content : List.of(noise, new byte[size])) {
      ByteBuffer buffer = ByteBuffer.wrap(content);
      while (buffer.hasRemaining()) {
        channel.write(buffer, buffer.position());
      }
      channel.force(true);
    }
    channel.truncate(0);
    channel.force(true);
  }
}
