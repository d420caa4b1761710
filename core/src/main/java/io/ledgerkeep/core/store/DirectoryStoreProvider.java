package io.ledgerkeep.core.store;

import io.ledgerkeep.Options;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.ArchiveStoreProvider;
import io.ledgerkeep.error.ConfigurationException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Opens the store {@code directory}: every object is a file below the directory that the option
 * {@code path} names. A directory that does not exist is an empty store; the first object creates
 * it if the directory above exists.
 */
public final class DirectoryStoreProvider implements ArchiveStoreProvider {

  private static final String PATH = "path";

  /** Creates the provider; called by {@link java.util.ServiceLoader}. */
  public DirectoryStoreProvider() {}

  @Override
  public String name() {
    return "directory";
  }

  @Override
  public ArchiveStore open(Options options) {
    String path = options.onlyAllow(PATH).requiredText(PATH);
    Path root = pathOf(path);
    if (Files.exists(root) && !Files.isDirectory(root)) {
      throw new ConfigurationException("option 'path': " + root + " is no directory");
    }
    return new DirectoryStore(root);
  }

  private static Path pathOf(String path) {
    try {
      return Path.of(path).toAbsolutePath();
    } catch (InvalidPathException e) {
      throw new ConfigurationException("option 'path' is no path: " + path, e);
    }
  }
}
