package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** An opened store of a {@link MemoryDisk}. */
final class MemoryEngine implements StorageEngine {

  /** How many keys {@link #deleteRange} takes at once: few, so that tests see it is not atomic. */
  private static final int DELETE_CHUNK = 1000;

  private enum State {
    OPEN,
    CLOSED,
    CRASHED
  }

  private final MemoryDisk disk;
  private final MemoryStore store;
  private final Path directory;
  private final Limits limits;
  private final Set<View> views = ConcurrentHashMap.newKeySet();
  private volatile State state = State.OPEN;

  MemoryEngine(MemoryDisk disk, MemoryStore store, Path directory, Limits limits) {
    this.disk = disk;
    this.store = store;
    this.directory = directory;
    this.limits = limits;
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    requireOpen();
    return store.moment().tree().get(key).map(this::intact).map(SortedTree.Entry::value);
  }

  @Override
  public Cursor scan(KeyRange range) {
    requireOpen();
    MemoryStore.Moment moment = store.moment();
    return opened(new MemoryCursor(moment, Optional.empty(), range), "a cursor");
  }

  @Override
  public Snapshot snapshot() {
    requireOpen();
    return opened(new MemorySnapshot(store.moment()), "a snapshot");
  }

  @Override
  public void write(WriteBatch batch, Durability durability) {
    requireOpen();
    limits.check(batch);
    boolean buffered = Objects.requireNonNull(durability) == Durability.BUFFERED;
    disk.exclusively(
        () -> {
          requireOpen();
          disk.requireRoom(
              batch.bytes() + (long) batch.size() * SortedTree.ENTRY_OVERHEAD_BYTES, directory);
          store.write(batch, buffered);
        });
  }

  @Override
  public void flush() {
    disk.exclusively(
        () -> {
          requireOpen();
          store.flush();
        });
  }

  @Override
  public void deleteRange(KeyRange range) {
    // Buffered deletes of keys of the range must not be undone by a crash either.
    flush();
    SortedTree.Walk walk = store.moment().tree().walk(range);
    WriteBatch chunk = new WriteBatch();
    for (var entry = walk.next(); entry.isPresent(); entry = walk.next()) {
      chunk.delete(entry.get().key());
      if (chunk.size() == DELETE_CHUNK) {
        deleteChunk(chunk);
        chunk = new WriteBatch();
      }
    }
    deleteChunk(chunk);
  }

  private void deleteChunk(WriteBatch chunk) {
    disk.exclusively(
        () -> {
          requireOpen();
          disk.requireRoom(
              chunk.bytes() + (long) chunk.size() * SortedTree.ENTRY_OVERHEAD_BYTES, directory);
          store.write(chunk, false);
        });
  }

  @Override
  public void compact(KeyRange range) {
    disk.exclusively(
        () -> {
          requireOpen();
          long oldest = views.stream().mapToLong(View::change).min().orElse(Long.MAX_VALUE);
          store.compact(range, oldest);
        });
  }

  @Override
  public Limits limits() {
    requireOpen();
    return limits;
  }

  @Override
  public long sizeBytes() {
    requireOpen();
    return disk.exclusively(store::bytes);
  }

  @Override
  public void close() {
    disk.exclusively(
        () -> {
          if (state == State.OPEN) {
            state = State.CLOSED;
            store.closed();
            views.clear();
          }
        });
    disk.resources().closed(this);
  }

  /** Ends the engine as the death of its process does. The disk holds its lock. */
  void crash() {
    state = State.CRASHED;
    store.closed();
    views.clear();
  }

  private void requireOpen() {
    if (state == State.CRASHED) {
      throw new MachineCrash("the machine of the store in " + directory + " has crashed");
    }
    if (state == State.CLOSED) {
      throw new IllegalStateException("the store in " + directory + " is closed");
    }
  }

  private SortedTree.Entry intact(SortedTree.Entry entry) {
    if (entry.damaged()) {
      throw new IntegrityException(
          "a value of "
              + entry.value().size()
              + " bytes in the store in "
              + directory
              + " is damaged; the test wanted it so");
    }
    return entry;
  }

  private <V extends View> V opened(V view, String what) {
    views.add(view);
    disk.resources().opened(view, what + " of the store in " + directory);
    return view;
  }

  /** What looks at a moment and is closed by its user, or with the engine. */
  private abstract class View implements AutoCloseable {

    final MemoryStore.Moment moment;
    private volatile boolean closed;

    View(MemoryStore.Moment moment) {
      this.moment = moment;
    }

    long change() {
      return moment.change();
    }

    void requireUsable() {
      requireOpen();
      if (closed) {
        throw new IllegalStateException("closed before; the store is in " + directory);
      }
    }

    @Override
    public void close() {
      closed = true;
      views.remove(this);
      disk.resources().closed(this);
    }
  }

  private final class MemorySnapshot extends View implements Snapshot {

    private MemorySnapshot(MemoryStore.Moment moment) {
      super(moment);
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
      requireUsable();
      return moment.tree().get(key).map(MemoryEngine.this::intact).map(SortedTree.Entry::value);
    }

    @Override
    public Cursor scan(KeyRange range) {
      requireUsable();
      return opened(new MemoryCursor(moment, Optional.of(this), range), "a cursor of a snapshot");
    }
  }

  private final class MemoryCursor extends View implements Cursor {

    private final Optional<View> parent;
    private final SortedTree.Walk walk;
    private Optional<SortedTree.Entry> current = Optional.empty();

    private MemoryCursor(MemoryStore.Moment moment, Optional<View> parent, KeyRange range) {
      super(moment);
      this.parent = parent;
      this.walk = moment.tree().walk(range);
    }

    @Override
    void requireUsable() {
      super.requireUsable();
      parent.ifPresent(View::requireUsable);
    }

    @Override
    public boolean next() {
      requireUsable();
      current = walk.next().map(MemoryEngine.this::intact);
      return current.isPresent();
    }

    @Override
    public Bytes key() {
      return entry().key();
    }

    @Override
    public Bytes value() {
      return entry().value();
    }

    private SortedTree.Entry entry() {
      requireUsable();
      return current.orElseThrow(() -> new IllegalStateException("the cursor is at no key"));
    }
  }
}
