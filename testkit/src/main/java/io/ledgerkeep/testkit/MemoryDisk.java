package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A disk in memory that outlives the engines on it: what {@link InMemoryStorage} wrote to a
 * directory is there when the directory is opened again. Paths only name stores; no file is
 * touched. Safe for any number of threads.
 *
 * <p>It plays what happens to disks: {@link #crash()} of the machine, {@link #limitBytes(long)},
 * {@link #damage}. Random choices follow a seed, which {@link #toString()} tells.
 *
 * <pre>{@code
 * MemoryDisk disk = new MemoryDisk(seed);
 * StorageEngine engine = new InMemoryStorage(disk).open(Path.of("a"), Options.none());
 * engine.write(batch, BUFFERED);
 * disk.crash();                     // the engine is dead; the batch may be gone
 * engine = new InMemoryStorage(disk).open(Path.of("a"), Options.none());
 * }</pre>
 */
public final class MemoryDisk {

  private final long seed;
  private final Random random;
  private final Map<Path, MemoryStore> stores = new HashMap<>();
  private final OpenResources resources = new OpenResources();
  private LongSupplier limitBytes = () -> Long.MAX_VALUE;

  /** Guards the fields above and what changes in the stores. */
  private final ReentrantLock lock = new ReentrantLock();

  /** Creates an empty disk with a seed of its own choice. */
  public MemoryDisk() {
    this(new Random().nextLong());
  }

  /** Creates an empty disk whose random choices follow the seed. */
  public MemoryDisk(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  /**
   * Plays a crash of the machine: of every store a random number of its last buffered writes is
   * lost, all that is durable stays. The engines on the disk are dead: they throw {@link
   * MachineCrash} from now on, except on closing, and their stores can be opened again.
   */
  public void crash() {
    crash(store -> store.keepBuffered(random.nextInt(store.bufferedChanges() + 1)));
  }

  /** Plays a crash of the machine that takes every buffered write with it. */
  public void crashLosingAllBuffered() {
    crash(store -> store.keepBuffered(0));
  }

  private void crash(Consumer<MemoryStore> loss) {
    exclusively(
        () -> {
          for (MemoryStore store : stores.values()) {
            store.opener().ifPresent(MemoryEngine::crash);
            loss.accept(store);
          }
          resources.clear();
        });
  }

  /** Lets everything on the disk together take so many bytes; what needs more is refused. */
  public void limitBytes(long bytes) {
    limitBytes(() -> bytes);
  }

  /**
   * Lets everything on the disk together take as many bytes as the supplier says at each write: for
   * tests in which something else, a reserve file say, takes room or gives it back.
   */
  public void limitBytes(LongSupplier bytes) {
    exclusively(() -> limitBytes = bytes);
  }

  /** Returns what all stores take, in bytes: entries, and deleted ones until compacted. */
  public long usedBytes() {
    return exclusively(() -> stores.values().stream().mapToLong(MemoryStore::bytes).sum());
  }

  /**
   * Damages the value at the key: from now on reading it, or stepping a cursor to it, is an {@link
   * IntegrityException}, until the key is written again. Snapshots taken before see it intact.
   *
   * @throws IllegalArgumentException if there is no such key
   */
  public void damage(Path directory, Bytes key) {
    if (!exclusively(() -> store(directory).damage(key))) {
      throw new IllegalArgumentException("the store in " + directory + " has no such key");
    }
  }

  /** Damages the store of the directory: it cannot be opened any more. */
  public void damage(Path directory) {
    exclusively(() -> store(directory).makeUnreadable());
  }

  /**
   * Puts a copy of one directory's store in the place of another's, as an operator may put back an
   * older copy of a database.
   *
   * @throws ConflictException if the store to be replaced is open
   */
  public void copy(Path from, Path to) {
    exclusively(
        () -> {
          requireClosed(store(to), to);
          stores.put(normal(to), store(from).copy());
        });
  }

  /** Does the same where there is a store; returns whether there is one. */
  boolean copyIfThere(Path from, Path to) {
    return exclusively(
        () -> {
          boolean isThere = stores.containsKey(normal(from));
          if (isThere) {
            copy(from, to);
          }
          return isThere;
        });
  }

  /**
   * Throws an error that names where each engine, snapshot and cursor was opened that is not closed
   * yet. Closing an engine does not close its children in this sense.
   *
   * @throws AssertionError if something is open
   */
  public void assertAllClosed() {
    resources.assertAllClosed();
  }

  /** Returns the seed, for the message of a failed test. */
  @Override
  public String toString() {
    return "MemoryDisk[seed=" + seed + "L]";
  }

  StorageEngine open(Path directory, StorageEngine.Limits limits) {
    return exclusively(
        () -> {
          MemoryStore store = store(directory);
          requireClosed(store, directory);
          if (store.isUnreadable()) {
            throw new IntegrityException(
                "the store in " + directory + " is damaged; the test wanted it so");
          }
          MemoryEngine engine = new MemoryEngine(this, store, normal(directory), limits);
          store.openedBy(engine);
          resources.opened(engine, "the store in " + directory);
          return engine;
        });
  }

  /** Checks that so many more bytes fit. The caller holds the lock. */
  void requireRoom(long bytes, Path directory) {
    long used = usedBytes();
    long limit = limitBytes.getAsLong();
    if (bytes > limit - used) {
      throw new StorageException(
          StorageException.Kind.OUT_OF_SPACE,
          "no space left for the store in %s: %s of %s bytes are used, %s more were needed; make room"
              .formatted(directory, used, limit, bytes));
    }
  }

  OpenResources resources() {
    return resources;
  }

  void exclusively(Runnable action) {
    lock.lock();
    try {
      action.run();
    } finally {
      lock.unlock();
    }
  }

  <T> T exclusively(Supplier<T> action) {
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  private MemoryStore store(Path directory) {
    return stores.computeIfAbsent(normal(directory), path -> new MemoryStore());
  }

  private static void requireClosed(MemoryStore store, Path directory) {
    if (store.opener().isPresent()) {
      throw new ConflictException(
          ConflictException.Reason.LOCKED, "the store in " + directory + " is open already");
    }
  }

  private static Path normal(Path directory) {
    return directory.toAbsolutePath().normalize();
  }
}
