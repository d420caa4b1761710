package io.ledgerkeep.core.store;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Keeps each object as a file below a directory.
 *
 * <p>An object is written to a hidden file beside its place, synced, made read-only and then given
 * its name by a hard link, which never replaces; after that its directory is synced, and so is
 * every directory made for it. Symbolic links are followed up to the directory of the store, and
 * nowhere below it.
 */
final class DirectoryStore implements ArchiveStore {

  private static final String PART = "[a-z0-9-][a-z0-9.-]*";
  private static final Pattern FILE_NAME = Pattern.compile(PART);
  private static final Pattern NAME = Pattern.compile(PART + "(/" + PART + ")*");

  private final Path root;
  private final OpenFiles files = new OpenFiles();

  /** The directories whose entries are durable and which hold no leftovers of the past. */
  private final Set<Path> prepared = ConcurrentHashMap.newKeySet();

  private volatile boolean closed;

  DirectoryStore(Path root) {
    this.root = root;
  }

  @Override
  public String place() {
    requireOpen();
    return root.toString();
  }

  @Override
  public void put(String name, Content content) {
    Path target = path(name);
    if (size(name).isPresent()) {
      throw new ConflictException(
          ConflictException.Reason.EXISTS, "the object " + target + " exists already");
    }
    try {
      prepare(target.resolveSibling(""));
      try (PartFile part = PartFile.create(target)) {
        write(name, content, part);
        part.publish(target);
      }
    } catch (IOException e) {
      prepared.remove(target.resolveSibling(""));
      throw StoreErrors.ofWrite("the object " + target + " cannot be written", root, e);
    }
  }

  private void write(String name, Content content, PartFile part) throws IOException {
    try {
      content.writeTo(part.stream());
    } catch (UncheckedIOException e) {
      if (part.isCauseOf(e.getCause())) {
        throw e.getCause();
      }
      throw e;
    } catch (IOException e) {
      if (part.isCauseOf(e)) {
        throw e;
      }
      throw new StorageException(
          StorageException.Kind.FATAL, "the content of the object " + name + " failed: " + e, e);
    }
  }

  /** Makes the directory of an object, durably, and clears it of what dead attempts left. */
  private void prepare(Path directory) throws IOException {
    if (prepared.contains(directory)) {
      return;
    }
    if (!rootExists()) {
      createRoot();
    }
    Path made = root;
    for (Path part : parts(directory)) {
      made = made.resolve(part);
      Directories.create(made);
    }
    PartFile.removeLeftovers(directory);
    prepared.add(directory);
  }

  private void createRoot() throws IOException {
    Path parent = root.getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      throw new StorageException(
          StorageException.Kind.FATAL,
          "neither the archive directory "
              + root
              + " exists nor the directory above it; create it or mount its disk");
    }
    Directories.create(root);
  }

  @Override
  public OptionalLong size(String name) {
    Path target = path(name);
    try {
      return find(target).map(found -> OptionalLong.of(found.size())).orElse(OptionalLong.empty());
    } catch (IOException e) {
      throw StoreErrors.of("the object " + target + " cannot be looked up", root, e);
    }
  }

  @Override
  public Bytes get(String name, long offset, int length) {
    Path target = path(name);
    if (offset < 0 || length < 0) {
      throw new IllegalArgumentException(
          "offset " + offset + " and length " + length + " must not be negative");
    }
    try {
      if (!files.holds(target) && find(target).isEmpty()) {
        throw new NoSuchFileException(target.toString());
      }
      return Bytes.wrap(files.read(target, offset, length));
    } catch (NoSuchFileException e) {
      throw new StorageException(
          StorageException.Kind.FATAL,
          "there is no object " + target + "; is the disk mounted?",
          e);
    } catch (IOException e) {
      requireOpen();
      throw StoreErrors.of("the object " + target + " cannot be read", root, e);
    }
  }

  @Override
  public List<String> list(String prefix) {
    requireOpen();
    String directory = prefix.substring(0, prefix.lastIndexOf('/') + 1);
    List<String> names = new ArrayList<>();
    try {
      if (rootExists()) {
        collect(directory, prefix, names);
      }
    } catch (IOException e) {
      throw StoreErrors.of("the archive " + root + " cannot be listed", root, e);
    }
    Collections.sort(names);
    return names;
  }

  /** Collects what begins with the prefix below the directory, whose name is empty or ends in /. */
  private void collect(String directory, String prefix, List<String> names) throws IOException {
    if (!directory.isEmpty()) {
      String name = directory.substring(0, directory.length() - 1);
      if (!NAME.matcher(name).matches() || !isDirectory(root.resolve(name))) {
        return;
      }
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.resolve(directory))) {
      for (Path entry : entries) {
        collectEntry(directory, entry, prefix, names);
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    } catch (NoSuchFileException e) {
      // Removed between two looks.
    }
  }

  private void collectEntry(String directory, Path entry, String prefix, List<String> names)
      throws IOException {
    String fileName = entry.getFileName().toString();
    String name = directory + fileName;
    if (!FILE_NAME.matcher(fileName).matches()) {
      return;
    }
    Optional<BasicFileAttributes> found = attributes(entry, LinkOption.NOFOLLOW_LINKS);
    if (found.isPresent() && found.get().isDirectory()) {
      String below = name + "/";
      if (below.startsWith(prefix) || prefix.startsWith(below)) {
        collect(below, prefix, names);
      }
    } else if (found.isPresent() && found.get().isRegularFile() && name.startsWith(prefix)) {
      names.add(name);
    }
  }

  @Override
  public void delete(String name) {
    Path target = path(name);
    try {
      if (find(target).isPresent()) {
        Files.deleteIfExists(target);
        Directories.sync(target.resolveSibling(""));
      }
    } catch (IOException e) {
      throw StoreErrors.of("the object " + target + " cannot be deleted", root, e);
    } finally {
      files.forget(target);
    }
  }

  @Override
  public void close() {
    closed = true;
    files.close();
  }

  /** Returns the file of an object; the name keeps it below the root. */
  private Path path(String name) {
    requireOpen();
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("'" + name + "' is no name of an object");
    }
    return root.resolve(name);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the archive store " + root + " is closed");
    }
  }

  /** Returns the file if it is there; no link below the root is followed. */
  private Optional<BasicFileAttributes> find(Path target) throws IOException {
    if (!rootExists() || !isDirectory(target.resolveSibling(""))) {
      return Optional.empty();
    }
    Optional<BasicFileAttributes> found = attributes(target, LinkOption.NOFOLLOW_LINKS);
    requireNoLink(target, found);
    return found.filter(BasicFileAttributes::isRegularFile);
  }

  /** Returns whether the path is a directory, and so is all above it down from the root. */
  private boolean isDirectory(Path directory) throws IOException {
    Path at = root;
    for (Path part : parts(directory)) {
      at = at.resolve(part);
      Optional<BasicFileAttributes> found = attributes(at, LinkOption.NOFOLLOW_LINKS);
      requireNoLink(at, found);
      if (!found.map(BasicFileAttributes::isDirectory).orElse(false)) {
        return false;
      }
    }
    return true;
  }

  private static void requireNoLink(Path path, Optional<BasicFileAttributes> found)
      throws IOException {
    if (found.isPresent() && !found.get().isDirectory() && !found.get().isRegularFile()) {
      throw new IOException(path + " is neither a directory nor a regular file");
    }
  }

  /** Returns the names between the root and the path. */
  private Iterable<Path> parts(Path path) {
    return path.equals(root) ? List.of() : root.relativize(path);
  }

  /** Returns whether the root is there; something else in its place is a failure. */
  private boolean rootExists() throws IOException {
    Optional<BasicFileAttributes> found = attributes(root);
    if (found.isPresent() && !found.get().isDirectory()) {
      throw new NotDirectoryException(root.toString());
    }
    return found.isPresent();
  }

  private static Optional<BasicFileAttributes> attributes(Path path, LinkOption... options)
      throws IOException {
    try {
      return Optional.of(Files.readAttributes(path, BasicFileAttributes.class, options));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }
}
