package io.ledgerkeep.badger;

import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A folder of our own for the socket of a sidecar; nobody else may look into it. */
final class SocketPlace implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SocketPlace.class);
  private static final String PREFIX = "ledgerkeep-badger-";

  /** A socket's address has room for 107 bytes on Linux, for 103 on macOS. */
  private static final int MAX_PATH_BYTES = 103;

  private final Path directory;

  private SocketPlace(Path directory) {
    this.directory = directory;
  }

  /** Makes the folder in the temporary directory, or where that has too long a name in /tmp. */
  static SocketPlace make() {
    for (String parent : List.of(System.getProperty("java.io.tmpdir"), "/tmp")) {
      try {
        sweep(Path.of(parent));
        SocketPlace place =
            new SocketPlace(
                Files.createTempDirectory(
                        Path.of(parent), PREFIX + ProcessHandle.current().pid() + "-")
                    .toAbsolutePath());
        if (place.socket().toString().getBytes(StandardCharsets.UTF_8).length <= MAX_PATH_BYTES) {
          return place;
        }
        place.close();
      } catch (IOException e) {
        throw new StorageException(
            Kind.FATAL, "no folder can be made in " + parent + ": " + e.getMessage(), e);
      }
    }
    throw new StorageException(Kind.FATAL, "no temporary directory has a name short enough");
  }

  Path socket() {
    return directory.resolve("socket");
  }

  /** Removes what processes that were killed have left. */
  private static void sweep(Path parent) throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(parent, PREFIX + "*-*")) {
      for (Path directory : left) {
        if (isLeft(directory.getFileName().toString())) {
          new SocketPlace(directory).close();
        }
      }
    }
  }

  private static boolean isLeft(String name) {
    String pid = name.substring(PREFIX.length(), name.lastIndexOf('-'));
    return pid.matches("[0-9]{1,18}") && ProcessHandle.of(Long.parseLong(pid)).isEmpty();
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(socket());
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      LOG.debug("{} is left behind", directory, e);
    }
  }
}
