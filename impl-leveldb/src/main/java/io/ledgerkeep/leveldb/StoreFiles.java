package io.ledgerkeep.leveldb;

import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.NavigableMap;
import java.util.TreeMap;

/** The files of a store by their names. */
final class StoreFiles {

  /** The suffix of tables here. */
  static final String TABLE = ".sst";

  /** The suffix of tables of LevelDB 1.14 and later, which the native library does not know. */
  static final String NEWER_TABLE = ".ldb";

  static final String LOG = ".log";

  private StoreFiles() {}

  /** Returns the files of the suffix by the number that their name is. */
  static NavigableMap<Long, Path> numbered(Path directory, String suffix) throws IOException {
    NavigableMap<Long, Path> files = new TreeMap<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, "*" + suffix)) {
      for (Path file : all) {
        String name = file.getFileName().toString();
        String number = name.substring(0, name.length() - suffix.length());
        if (number.matches("[0-9]{1,18}")) {
          files.put(Long.parseLong(number), file);
        }
      }
    }
    return files;
  }

  /**
   * Returns the manifest in use, which the given file names.
   *
   * @throws IntegrityException if the file does not name one that is there
   */
  static Path manifest(Path current) throws IOException {
    String text = Files.readString(current, StandardCharsets.ISO_8859_1);
    Path manifest = current.resolveSibling(text.strip());
    if (!text.matches("MANIFEST-[0-9]+\n") || !Files.isRegularFile(manifest)) {
      throw LevelDbErrors.damage(current, "it does not name a manifest that is there");
    }
    return manifest;
  }

  /** Makes what happened to the names in the directory durable. */
  static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Returns the bytes of all files; those that LevelDB deletes meanwhile do not count. */
  static long sizeBytes(Path directory) {
    long[] sum = {0};
    try {
      Files.walkFileTree(
          directory,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              sum[0] += attributes.size();
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw LevelDbErrors.file("measuring the LevelDB store " + directory, e);
    }
    return sum[0];
  }
}
