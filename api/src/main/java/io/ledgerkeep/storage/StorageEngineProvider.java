package io.ledgerkeep.storage;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Opens engines of one kind by name. Found by {@link java.util.ServiceLoader}; holds no state, does
 * no work before {@link #open}, and serves any number of threads.
 */
public interface StorageEngineProvider {

  /** Returns the name used in configuration: lower-case letters, digits and hyphens. */
  String name();

  /**
   * Checks options as {@link #open} does, for a configuration that is looked at. Opens and changes
   * nothing. An engine that does not override it tells when it is opened.
   *
   * @throws ConfigurationException if an option is unknown or out of its range
   */
  default void check(Options options) {}

  /**
   * Opens the store of the directory, ready to use; creates it where the directory is absent or
   * empty. The parent directory exists.
   *
   * @throws ConfigurationException if an option is unknown or out of its range
   * @throws ConflictException if the store is open elsewhere
   * @throws IntegrityException if the store is damaged; it was not changed
   * @throws UnsupportedFormatException if the store is in a format the engine does not read
   * @throws StorageException if the disk or a server fails
   */
  StorageEngine open(Path directory, Options options);

  /**
   * Returns whether the files of the directory look like a store of this engine, whole or damaged:
   * for a ledger that no longer knows its engines. Opens and changes nothing.
   */
  default boolean recognizes(Path directory) {
    return false;
  }

  /**
   * Copies the store of a directory, which is open nowhere, into a directory that is not there yet,
   * so that the copy can be opened and changed while the original stays as it is. It may be
   * damaged: what can be copied is. The parent of the target exists. Files that the engine never
   * writes to again may be shared by hard links.
   *
   * <p>This copies every file, if there is room for them all. An engine overrides it that can share
   * files, or whose stores do not lie in their directories.
   *
   * @return whether there was a store
   * @throws ConfigurationException if stores lie elsewhere and cannot be copied; the message says
   *     where
   * @throws StorageException if the disk fails or is full
   */
  default boolean copy(Path directory, Path target, Options options) {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (Stream<Path> walk = Files.walk(directory)) {
      List<Path> files =
          walk.filter(file -> Files.isDirectory(file) || Files.isRegularFile(file)).toList();
      long neededBytes = 0;
      for (Path file : files) {
        neededBytes += Files.isRegularFile(file) ? Files.size(file) : 0;
      }
      long freeBytes =
          Files.getFileStore(Objects.requireNonNull(target.toAbsolutePath().getParent()))
              .getUsableSpace();
      if (neededBytes > freeBytes) {
        throw new StorageException(
            StorageException.Kind.OUT_OF_SPACE,
            "the copy of %s needs %s bytes on the disk of %s and %s are free; nothing was changed, make room"
                .formatted(directory, neededBytes, target, freeBytes));
      }
      for (Path file : files) {
        Files.copy(file, target.resolve(directory.relativize(file).toString()));
      }
      return true;
    } catch (IOException | UncheckedIOException e) {
      boolean isFull = String.valueOf(e.getMessage()).contains("No space left");
      throw new StorageException(
          isFull ? StorageException.Kind.OUT_OF_SPACE : StorageException.Kind.FATAL,
          "cannot copy " + directory + ": " + e + (isFull ? "; make room" : ""),
          e);
    }
  }
}
