package io.ledgerkeep.examples.journal;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All keys in memory, all batches in a {@link Journal}. A map that readers see is never changed: a
 * write puts a changed copy in its place, so that a snapshot is nothing but a map kept. Writers
 * take turns; readers never wait.
 */
final class JournalEngine implements StorageEngine {

  private static final Limits LIMITS = new Limits(64 << 10, 1 << 20, 4 << 20, 1000);

  private final Journal journal;
  private volatile NavigableMap<Bytes, Bytes> content = new TreeMap<>();
  private volatile boolean closed;

  private JournalEngine(Journal journal) {
    this.journal = journal;
  }

  static JournalEngine open(Path directory, LongSupplier maxBytes) {
    JournalEngine engine = new JournalEngine(Journal.open(directory, maxBytes));
    try {
      NavigableMap<Bytes, Bytes> replayed = new TreeMap<>();
      engine.journal.replay(visitor(replayed));
      engine.content = replayed;
      return engine;
    } catch (RuntimeException e) {
      engine.close();
      throw e;
    }
  }

  @Override
  public Optional<Bytes> get(Bytes key) {
    return snapshot().get(key);
  }

  @Override
  public Cursor scan(KeyRange range) {
    return snapshot().scan(range);
  }

  @Override
  public Snapshot snapshot() {
    requireOpen();
    return new Moment(content);
  }

  @Override
  public synchronized void write(WriteBatch batch, Durability durability) {
    requireOpen();
    LIMITS.check(batch);
    journal.append(batch);
    if (durability == Durability.DURABLE) {
      journal.sync();
    }
    NavigableMap<Bytes, Bytes> changed = new TreeMap<>(content);
    batch.forEach(visitor(changed));
    content = changed;
  }

  @Override
  public synchronized void flush() {
    requireOpen();
    journal.sync();
  }

  /** Whole batches of deletes: after a failure in the middle it is simply called again. */
  @Override
  public synchronized void deleteRange(KeyRange range) {
    requireOpen();
    WriteBatch batch = new WriteBatch();
    for (Bytes key : within(content, range).keySet()) {
      if (batch.size() == LIMITS.maxBatchCount() || batch.bytes() > LIMITS.maxValueBytes()) {
        write(batch, Durability.BUFFERED);
        batch = new WriteBatch();
      }
      batch.delete(key);
    }
    write(batch, Durability.DURABLE);
  }

  @Override
  public synchronized void compact(KeyRange range) {
    requireOpen();
    journal.rewrite(content);
  }

  @Override
  public Limits limits() {
    requireOpen();
    return LIMITS;
  }

  @Override
  public synchronized long sizeBytes() {
    requireOpen();
    return journal.sizeBytes();
  }

  @Override
  public synchronized void close() {
    closed = true;
    journal.close();
  }

  /** Up to where a crash of the machine leaves the journal whole; for tests. */
  synchronized long syncedBytes() {
    return journal.syncedBytes();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the store is closed");
    }
  }

  private static WriteBatch.Visitor visitor(Map<Bytes, Bytes> target) {
    return new WriteBatch.Visitor() {
      @Override
      public void put(Bytes key, Bytes value) {
        target.put(key, value);
      }

      @Override
      public void delete(Bytes key) {
        target.remove(key);
      }
    };
  }

  private static NavigableMap<Bytes, Bytes> within(NavigableMap<Bytes, Bytes> map, KeyRange range) {
    NavigableMap<Bytes, Bytes> tail = map.tailMap(range.from(), true);
    return range.until().map(until -> tail.headMap(until, false)).orElse(tail);
  }

  /** The map of a moment. There is nothing to give back, so closing it only forbids its use. */
  private final class Moment implements Snapshot {

    private final NavigableMap<Bytes, Bytes> map;
    private volatile boolean ended;

    Moment(NavigableMap<Bytes, Bytes> map) {
      this.map = map;
    }

    void requireUsable() {
      requireOpen();
      if (ended) {
        throw new IllegalStateException("the snapshot is closed");
      }
    }

    @Override
    public Optional<Bytes> get(Bytes key) {
      requireUsable();
      return Optional.ofNullable(map.get(key));
    }

    @Override
    public Cursor scan(KeyRange range) {
      requireUsable();
      return new Steps(this, within(map, range).entrySet().iterator());
    }

    @Override
    public void close() {
      ended = true;
    }
  }

  /** Steps through a map of a moment. */
  private static final class Steps implements Cursor {

    private final Moment moment;
    private final Iterator<Map.Entry<Bytes, Bytes>> entries;
    private Map.@Nullable Entry<Bytes, Bytes> current;
    private boolean ended;

    Steps(Moment moment, Iterator<Map.Entry<Bytes, Bytes>> entries) {
      this.moment = moment;
      this.entries = entries;
    }

    @Override
    public boolean next() {
      requireUsable();
      current = entries.hasNext() ? entries.next() : null;
      return current != null;
    }

    @Override
    public Bytes key() {
      return entry().getKey();
    }

    @Override
    public Bytes value() {
      return entry().getValue();
    }

    private Map.Entry<Bytes, Bytes> entry() {
      requireUsable();
      if (current == null) {
        throw new NoSuchElementException("the cursor is at no key");
      }
      return current;
    }

    private void requireUsable() {
      moment.requireUsable();
      if (ended) {
        throw new IllegalStateException("the cursor is closed");
      }
    }

    @Override
    public void close() {
      ended = true;
    }
  }
}
