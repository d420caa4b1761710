package io.ledgerkeep.testkit;

import io.ledgerkeep.Options;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import java.nio.file.Path;

/**
 * The engine for tests: keeps all rules of {@link StorageEngine} on a {@link MemoryDisk}. Safe for
 * any number of threads; takes no options.
 *
 * <p>It is handed in as an object and not found by name, as what it holds belongs to one test:
 *
 * <pre>{@code
 * MemoryDisk disk = new MemoryDisk();
 * Ledgerkeep.builder().directory(path).storage(new InMemoryStorage(disk), Options.none()).open();
 * }</pre>
 */
public final class InMemoryStorage implements StorageEngineProvider {

  /** Limits that ordinary tests do not meet. */
  public static final StorageEngine.Limits ROOMY_LIMITS =
      new StorageEngine.Limits(64 << 10, 16 << 20, 32 << 20, 100_000);

  /** The smallest limits that a ledger has to live with. */
  public static final StorageEngine.Limits SMALLEST_LIMITS =
      new StorageEngine.Limits(40 << 10, 64 << 10, 104 << 10, 16);

  private final MemoryDisk disk;
  private final StorageEngine.Limits limits;

  /** Creates a provider of engines on the disk, with {@link #ROOMY_LIMITS}. */
  public InMemoryStorage(MemoryDisk disk) {
    this(disk, ROOMY_LIMITS);
  }

  /** Creates a provider of engines on the disk with the limits. */
  public InMemoryStorage(MemoryDisk disk, StorageEngine.Limits limits) {
    this.disk = disk;
    this.limits = limits;
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public StorageEngine open(Path directory, Options options) {
    options.onlyAllow();
    return disk.open(directory, limits);
  }

  /** Copies the store as {@link MemoryDisk#copy} does. */
  @Override
  public boolean copy(Path directory, Path target, Options options) {
    return disk.copyIfThere(directory, target);
  }
}
