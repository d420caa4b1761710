package io.ledgerkeep.cli.certs;

import io.ledgerkeep.cli.report.FileTrouble;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Replaces files so that no copy of a private key stays behind. The new one is written beside, the
 * former gets a second name, the new one takes its place in one step, and what the second name
 * leads to is overwritten before it goes. Whatever of that was done, doing it again ends it.
 */
final class SafeFile {

  private static final String NEXT = ".next";
  private static final String FORMER = ".former";
  private static final Set<PosixFilePermission> OWNER =
      PosixFilePermissions.fromString("rw-------");
  private static final Set<PosixFilePermission> READABLE =
      PosixFilePermissions.fromString("rw-r--r--");

  private final Path file;
  private final Path next;
  private final Path former;
  private final SecureRandom random;

  SafeFile(Path file, SecureRandom random) {
    this.file = file;
    this.next = file.resolveSibling("." + file.getFileName() + NEXT);
    this.former = file.resolveSibling("." + file.getFileName() + FORMER);
    this.random = random;
  }

  /** Returns whether a file is one that only an interrupted change leaves. */
  static boolean isLeftover(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.startsWith(".") && (name.endsWith(NEXT) || name.endsWith(FORMER));
  }

  /** Returns what the file holds, which the caller wipes; null where it is not there. */
  byte @Nullable [] content() throws IOException {
    try {
      return CertificateDirectory.content(file);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** Returns whether the file holds just that; null stands for no file. */
  boolean holds(byte @Nullable [] expected) throws IOException {
    byte[] found = content();
    boolean same = Arrays.equals(found, expected);
    if (found != null) {
      Arrays.fill(found, (byte) 0);
    }
    return same;
  }

  /** Returns whether the file has another name elsewhere, which a change would not reach. */
  boolean hasOtherNames() throws IOException {
    return Files.exists(file, LinkOption.NOFOLLOW_LINKS) && hasOtherNames(file);
  }

  private static boolean hasOtherNames(Path file) throws IOException {
    return file.getFileSystem().supportedFileAttributeViews().contains("unix")
        && Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS) instanceof Integer n
        && n > 1;
  }

  /** Makes the file hold what is next, or go; what is left of an earlier attempt goes first. */
  void change(FileChange change) throws IOException {
    tidy();
    if (holds(change.next())) {
      return;
    }
    if (change.next() != null) {
      try {
        writeNext(change);
      } catch (IOException e) {
        shred(next); // half of it takes the room that putting back needs
        throw FileTrouble.tellingWhere(file, e);
      }
      Steps.pass("written");
    }
    if (change.wasSecret()) {
      Files.createLink(former, file);
      syncDirectory();
      Steps.pass("linked");
    }
    if (change.next() != null) {
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } else {
      Files.deleteIfExists(file);
    }
    syncDirectory();
    Steps.pass("moved");
    tidy();
  }

  /** Removes what an interrupted change left beside the file. */
  private void tidy() throws IOException {
    shred(next);
    if (Files.exists(former, LinkOption.NOFOLLOW_LINKS)) {
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && Files.isSameFile(file, former)) {
        Files.delete(former); // the file was not replaced yet
      } else {
        shred(former);
      }
    }
  }

  private void writeNext(FileChange change) throws IOException {
    boolean posix = file.getFileSystem().supportedFileAttributeViews().contains("posix");
    boolean secret = change.willBeSecret();
    FileAttribute<?>[] attributes =
        posix
            ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER)}
            : new FileAttribute<?>[0];
    try (SeekableByteChannel channel =
        Files.newByteChannel(
            next,
            Set.of(
                StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
            attributes)) {
      if (posix) {
        adopt(secret);
      }
      write(channel, ByteBuffer.wrap(Objects.requireNonNull(change.next())));
    }
  }

  /** Whoever runs this, the node must be able to read what it could read before. */
  private void adopt(boolean secret) throws IOException {
    boolean there = Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    PosixFileAttributes model = attributes(there ? file : Objects.requireNonNull(file.getParent()));
    PosixFileAttributes ours = attributes(next);
    PosixFileAttributeView view =
        Files.getFileAttributeView(next, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    if (!secret) {
      view.setPermissions(there ? model.permissions() : READABLE);
    }
    if (!model.owner().equals(ours.owner())) {
      view.setOwner(model.owner());
    }
    if (there && !model.group().equals(ours.group())) {
      view.setGroup(model.group());
    }
  }

  private static PosixFileAttributes attributes(Path path) throws IOException {
    return Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
  }

  /** Overwrites a file of ours with random bytes, then zeros, and removes it. */
  private void shred(Path path) throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && !hasOtherNames(path)) {
      try (SeekableByteChannel channel =
          Files.newByteChannel(path, Set.of(StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS))) {
        byte[] noise = new byte[(int) Math.min(channel.size(), Integer.MAX_VALUE - 8)];
        random.nextBytes(noise);
        write(channel, ByteBuffer.wrap(noise));
        Arrays.fill(noise, (byte) 0);
        write(channel, ByteBuffer.wrap(noise));
        Steps.pass("overwritten");
        channel.truncate(0);
      }
    } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileSystemException(path.toString(), null, "is in the way; remove it");
    }
    Files.delete(path);
    syncDirectory();
  }

  private static void write(SeekableByteChannel channel, ByteBuffer content) throws IOException {
    channel.position(0);
    while (content.hasRemaining()) {
      channel.write(content);
    }
    ((FileChannel) channel).force(true);
  }

  private void syncDirectory() throws IOException {
    syncDirectory(Objects.requireNonNull(file.getParent()));
  }

  static void syncDirectory(Path directory) throws IOException {
    try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
      names.force(true);
    }
  }
}
