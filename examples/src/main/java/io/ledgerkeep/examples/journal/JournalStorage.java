package io.ledgerkeep.examples.journal;

import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/** Opens journals under the name {@code journal}; takes no options. */
public final class JournalStorage implements StorageEngineProvider {

  private final LongSupplier maxBytes;

  /** Creates the provider; called by ServiceLoader. */
  public JournalStorage() {
    this(() -> Long.MAX_VALUE);
  }

  /** Creates a provider of journals on a disk that is full at a size; for tests. */
  JournalStorage(LongSupplier maxBytes) {
    this.maxBytes = maxBytes;
  }

  // [provider]
  @Override
  public String name() {
    return "journal";
  }

  @Override
  public StorageEngine open(Path directory, Options options) {
    options.onlyAllow();
    return JournalEngine.open(directory, maxBytes);
  }
  // [/provider]
}
