package io.ledgerkeep.leveldb;

import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;

/** Opens stores of LevelDB under the name {@code leveldb}. */
public final class LevelDbStorageProvider implements StorageEngineProvider {

  /** Creates the provider; it holds nothing. */
  public LevelDbStorageProvider() {}

  @Override
  public String name() {
    return "leveldb";
  }

  @Override
  public void check(Options options) {
    LevelDbConfig.of(options);
  }

  @Override
  public StorageEngine open(Path directory, Options options) {
    return Opening.open(directory, LevelDbConfig.of(options), Clock.systemUTC());
  }

  @Override
  public boolean recognizes(Path directory) {
    return StoreCopy.isStore(directory);
  }

  /** Shares the tables: LevelDB writes a table once, and to be rid of it removes its name. */
  @Override
  public boolean copy(Path directory, Path target, Options options) {
    try {
      return StoreCopy.make(directory, target);
    } catch (IOException e) {
      throw LevelDbErrors.file("copying the LevelDB store " + directory, e);
    }
  }
}
