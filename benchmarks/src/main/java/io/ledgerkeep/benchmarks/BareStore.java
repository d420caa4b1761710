package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.BiConsumer;
import org.fusesource.leveldbjni.JniDBFactory;
import org.iq80.leveldb.DB;
import org.iq80.leveldb.DBIterator;
import org.iq80.leveldb.ReadOptions;
import org.iq80.leveldb.WriteOptions;

/** LevelDB as its own Java interface gives it, with nothing of the library around it. */
final class BareStore implements AutoCloseable {

  /** As the ledger reads: with checksums, and without driving the cache out by scans. */
  private static final ReadOptions GETS = new ReadOptions().verifyChecksums(true).fillCache(true);

  private static final ReadOptions SCANS = new ReadOptions().verifyChecksums(true).fillCache(false);
  private static final WriteOptions SYNCED = new WriteOptions().sync(true);
  private static final WriteOptions UNSYNCED = new WriteOptions().sync(false);

  private final DB db;

  private BareStore(DB db) {
    this.db = db;
  }

  static BareStore open(Path directory) {
    try {
      return new BareStore(
          JniDBFactory.factory.open(directory.toFile(), EngineSettings.ofBareStore()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void write(WriteBatch rows, boolean synced) {
    try (org.iq80.leveldb.WriteBatch batch = db.createWriteBatch()) {
      rows.forEach(
          new WriteBatch.Visitor() {
            @Override
            public void put(Bytes key, Bytes value) {
              batch.put(key.toArrayUnsafe(), value.toArrayUnsafe());
            }

            @Override
            public void delete(Bytes key) {
              batch.delete(key.toArrayUnsafe());
            }
          });
      db.write(batch, synced ? SYNCED : UNSYNCED);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the size of the value; there is one. */
  int get(Bytes key) {
    return db.get(key.toArrayUnsafe(), GETS).length;
  }

  /** Shows every row of the range. */
  void scan(KeyRange range, BiConsumer<byte[], byte[]> row) {
    byte[] until = range.until().map(Bytes::toArray).orElse(new byte[0]);
    try (DBIterator rows = db.iterator(SCANS)) {
      rows.seek(range.from().toArrayUnsafe());
      while (rows.hasNext()) {
        Map.Entry<byte[], byte[]> next = rows.next();
        if (until.length > 0 && Arrays.compareUnsigned(next.getKey(), until) >= 0) {
          break;
        }
        row.accept(next.getKey(), next.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Gives back all room that can be given back. */
  void compact() {
    db.compactRange(null, null);
  }

  @Override
  public void close() {
    try {
      db.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
