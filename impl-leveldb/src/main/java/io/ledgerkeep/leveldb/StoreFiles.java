package io.ledgerkeep.leveldb;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/** What lies in the directory of a store. */
final class StoreFiles {

  private StoreFiles() {}

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
