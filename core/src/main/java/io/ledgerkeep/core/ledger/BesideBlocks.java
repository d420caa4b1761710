package io.ledgerkeep.core.ledger;

import io.ledgerkeep.core.audit.AuditLog;
import io.ledgerkeep.core.files.Directories;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.error.IntegrityException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * What lies beside the block database and belongs to it: the registry of keys, the audit file, the
 * id filter.
 */
final class BesideBlocks {

  private static final List<String> FILES = List.of("KEYS", "KEYS.copy", AuditLog.FILE);
  private static final String FILTER = "ids";

  private BesideBlocks() {}

  /** Copies it anew from a directory to another; durable, and read back, when it returns. */
  static void copy(Path from, Path to) {
    try {
      Directories.delete(to.resolve(FILTER));
      for (String name : FILES) {
        Files.deleteIfExists(to.resolve(name));
        if (Files.exists(from.resolve(name))) {
          copyFile(from.resolve(name), to.resolve(name));
        }
      }
      if (Files.exists(from.resolve(FILTER))) {
        copyFilter(from.resolve(FILTER), to.resolve(FILTER));
      }
      SmallFile.syncDirectory(to);
    } catch (IOException e) {
      throw SmallFile.failed("cannot copy what lies beside the blocks in " + from, e);
    }
  }

  private static void copyFilter(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> layers = Files.list(from)) {
      for (Path layer : layers.filter(Files::isRegularFile).toList()) {
        copyFile(layer, to.resolve(layer.getFileName()));
      }
    }
    SmallFile.syncDirectory(to);
  }

  private static void copyFile(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
    try (FileChannel channel = FileChannel.open(to, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    if (Files.mismatch(from, to) >= 0) {
      throw new IntegrityException(to + " is not equal to " + from + "; look after the disk");
    }
  }
}
