package io.ledgerkeep.storage;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.error.UnsupportedFormatException;
import java.nio.file.Path;

/**
 * Opens engines of one kind by name. Found by {@link java.util.ServiceLoader}; holds no state and
 * does no work before {@link #open}.
 */
public interface StorageEngineProvider {

  /** Returns the name used in configuration: lower-case letters, digits and hyphens. */
  String name();

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
}
