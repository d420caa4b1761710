package io.ledgerkeep.badger;

import io.ledgerkeep.badger.BadgerConfig.Bundled;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.StorageException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a sidecar keeps a store.
 *
 * @param root what the bundled sidecar serves; empty for one that runs already
 * @param store the name of the store there
 * @param isKnown whether the store must be there already
 */
record Place(Path root, String store, boolean isKnown) {

  private static final Pattern PART = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}");

  /** Returns the place of the store that the directory is, or stands for. */
  static Place of(Path directory, BadgerConfig config) {
    try {
      Path real = real(directory);
      return config.where() instanceof Bundled ? bundled(real) : StandIn.place(real, config);
    } catch (IOException e) {
      throw new StorageException(
          Kind.FATAL, "the directory " + directory + " cannot be used: " + e.getMessage(), e);
    }
  }

  /** One directory must not have two names, or its store could be opened twice. */
  private static Path real(Path directory) throws IOException {
    Path absolute = directory.toAbsolutePath().normalize();
    if (Files.exists(absolute)) {
      return absolute.toRealPath();
    }
    Path parent = absolute.getParent();
    return parent == null ? absolute : parent.toRealPath().resolve(absolute.getFileName());
  }

  /**
   * The store is the directory itself. The databases of a ledger are two levels below it, so one
   * sidecar serves all of them where it serves the parent of the parent.
   */
  private static Place bundled(Path directory) {
    Path parent = directory.getParent();
    if (parent == null || !isPart(directory.getFileName())) {
      throw new ConfigurationException(
          "the directory "
              + directory
              + " cannot hold a Badger store: its name must be of at most 64 letters,"
              + " digits, '.', '_' and '-', and not begin with '.'");
    }
    Path grandparent = parent.getParent();
    return grandparent != null && isPart(parent.getFileName())
        ? new Place(grandparent, parent.getFileName() + "/" + directory.getFileName(), false)
        : new Place(parent, directory.getFileName().toString(), false);
  }

  private static boolean isPart(@Nullable Path name) {
    return name != null && PART.matcher(name.toString()).matches();
  }
}
