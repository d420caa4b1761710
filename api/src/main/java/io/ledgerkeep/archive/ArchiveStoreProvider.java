package io.ledgerkeep.archive;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.StorageException;

/**
 * Opens archive stores of one kind by name. Found by {@link java.util.ServiceLoader}; holds no
 * state, does no work before {@link #open}, and serves any number of threads.
 */
public interface ArchiveStoreProvider {

  /** Returns the name used in configuration: lower-case letters, digits and hyphens. */
  String name();

  /**
   * Opens a store, ready to use. A place that does not exist yet is an empty store.
   *
   * @throws ConfigurationException if an option is unknown or out of its range
   * @throws StorageException if the place cannot be reached
   */
  ArchiveStore open(Options options);
}
