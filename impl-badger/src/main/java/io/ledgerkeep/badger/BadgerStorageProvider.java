package io.ledgerkeep.badger;

import io.ledgerkeep.Options;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens stores of Badger, through a sidecar, under the name {@code badgerdb}. */
public final class BadgerStorageProvider implements StorageEngineProvider {

  /** Creates the provider; it holds nothing. */
  public BadgerStorageProvider() {}

  @Override
  public String name() {
    return "badgerdb";
  }

  @Override
  public void check(Options options) {
    BadgerConfig.of(options);
  }

  @Override
  public StorageEngine open(Path directory, Options options) {
    return Opening.open(directory, BadgerConfig.of(options));
  }

  @Override
  public boolean recognizes(Path directory) {
    return Files.exists(directory.resolve("KEYREGISTRY"))
        || Files.exists(directory.resolve("SIDECAR"));
  }

  /** Copies every file: Badger empties a table that it removes, so that none can be shared. */
  @Override
  public boolean copy(Path directory, Path target, Options options) {
    if (!(BadgerConfig.of(options).where() instanceof BadgerConfig.Bundled)) {
      throw new ConfigurationException(
          "its store lies with a sidecar that runs by itself, and cannot be copied from here; look at it there, or at a copy of the sidecar's directory with a bundled one");
    }
    return StorageEngineProvider.super.copy(directory, target, options);
  }
}
