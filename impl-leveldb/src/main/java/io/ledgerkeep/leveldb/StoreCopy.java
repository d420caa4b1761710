package io.ledgerkeep.leveldb;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Copies a closed store: tables by hard links where the disk allows it, all else byte by byte. */
final class StoreCopy {

  /** What belongs to an opener, or is for people. */
  private static final Set<String> NOT_OF_THE_STORE = Set.of("LOCK", "OWNER", "LOG", "LOG.old");

  private StoreCopy() {}

  /** Copies the store; returns whether there is one. */
  static boolean make(Path directory, Path target) throws IOException {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    Files.createDirectory(target);
    List<Path> unshared = new ArrayList<>();
    long unsharedBytes = 0;
    for (Path file : ownFiles(directory)) {
      if (!isTable(file) || !linked(target.resolve(file.getFileName()), file)) {
        unshared.add(file);
        unsharedBytes += Files.size(file);
      }
    }
    long freeBytes = Files.getFileStore(target).getUsableSpace();
    if (unsharedBytes > freeBytes) {
      throw LevelDbErrors.outOfSpace(
          "the copy of a LevelDB store in", target, unsharedBytes, freeBytes);
    }
    for (Path file : unshared) {
      Files.copy(file, target.resolve(file.getFileName()));
    }
    return true;
  }

  /** Returns whether a file is there that a store of LevelDB always has. */
  static boolean isStore(Path directory) {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .anyMatch(name -> name.equals("CURRENT") || name.startsWith("MANIFEST-"));
    } catch (IOException e) {
      throw LevelDbErrors.file("looking into " + directory, e);
    }
  }

  private static List<Path> ownFiles(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !NOT_OF_THE_STORE.contains(file.getFileName().toString()))
          .toList();
    }
  }

  private static boolean isTable(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(StoreFiles.TABLE) || name.endsWith(StoreFiles.NEWER_TABLE);
  }

  /** On another disk, or on one that knows no links, there is none to be had. */
  private static boolean linked(Path copy, Path file) throws IOException {
    try {
      Files.createLink(copy, file);
      return true;
    } catch (UnsupportedOperationException | FileSystemException e) {
      Files.deleteIfExists(copy);
      return false;
    }
  }
}
