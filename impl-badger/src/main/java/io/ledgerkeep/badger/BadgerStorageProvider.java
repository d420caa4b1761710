package io.ledgerkeep.badger;

import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
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
  public StorageEngine open(Path directory, Options options) {
    return Opening.open(directory, BadgerConfig.of(options));
  }
}
