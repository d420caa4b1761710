package io.ledgerkeep.core.rows;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.rows.AheadEngine.Ahead;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes rows in batches as large as the engine takes: what does not fit any more goes ahead in a
 * batch of its own. All that was put since the last {@link #write} is one atomic batch where it
 * fits in one, which {@link #fits} tells before. For one thread.
 */
public final class RowWriter {

  /** Beyond this a batch gains nothing and only costs memory. */
  private static final long MAX_BATCH_BYTES = 8 << 20;

  /** Room kept for the few short records that end a batch. */
  private static final int RECORDS_BYTES = 2 << 10;

  private static final int RECORDS_COUNT = 8;

  private final StorageEngine engine;
  private final Durability durability;
  private final int pieceBytes;
  private final long maxBytes;
  private final int maxCount;
  private WriteBatch batch = new WriteBatch();

  /** What was done ahead for the first mutations of the batch. */
  private List<Optional<Ahead>> ahead = new ArrayList<>();

  /** Writes rows to the engine, cut in pieces of the given size. */
  public RowWriter(StorageEngine engine, int pieceBytes, Durability durability) {
    StorageEngine.Limits limits = engine.limits();
    this.engine = engine;
    this.durability = durability;
    this.pieceBytes = pieceBytes;
    this.maxBytes = Math.min(limits.maxBatchBytes(), MAX_BATCH_BYTES) - RECORDS_BYTES;
    this.maxCount = limits.maxBatchCount() - RECORDS_COUNT;
  }

  /** Returns the piece size for an engine: all of them take values of this size. */
  public static int pieceBytesFor(StorageEngine engine) {
    return pieceBytesFor(engine.limits());
  }

  /** Returns the piece size for an engine of these limits. */
  public static int pieceBytesFor(StorageEngine.Limits limits) {
    int largest = Math.min(limits.maxValueBytes(), 1 << 20);
    return Math.toIntExact(
        Math.min(largest, limits.maxBatchBytes() - limits.maxKeyBytes() - RECORDS_BYTES));
  }

  /** Puts a row that was made for this engine. */
  public void put(Row row) {
    put(row.key(), row.value());
    if (row.ahead().isPresent()) {
      while (ahead.size() < batch.size() - 1) {
        ahead.add(Optional.empty());
      }
      ahead.add(row.ahead());
    }
  }

  /** Puts a row. */
  public void put(Bytes key, Rope row) {
    if (row.size() < pieceBytes) {
      put(key, row.join());
      return;
    }
    List<Bytes> pieces = row.pieces(pieceBytes);
    put(key, pieces.get(0));
    for (int number = 1; number < pieces.size(); number++) {
      put(PieceKeys.piece(key, number), pieces.get(number));
    }
    if (row.size() % pieceBytes == 0) {
      put(PieceKeys.piece(key, pieces.size()), Bytes.EMPTY);
    }
  }

  /** Puts a row that is shorter than a piece. */
  public void put(Bytes key, Bytes value) {
    makeRoom(key.size() + value.size(), 1);
    batch.put(key, value);
  }

  /** Deletes a row that is shorter than a piece. */
  public void delete(Bytes key) {
    makeRoom(key.size(), 1);
    batch.delete(key);
  }

  /** Adds a short record that must be in the same batch as what was put last. */
  public void record(Bytes key, Bytes value) {
    batch.put(key, value);
  }

  /** Adds the end of a short record that must be in the same batch as what was put last. */
  public void deleteRecord(Bytes key) {
    batch.delete(key);
  }

  /** Returns whether so much more fits in the batch. */
  public boolean fits(long bytes, int count) {
    return batch.bytes() + bytes <= maxBytes && batch.size() + count <= maxCount;
  }

  /** Returns whether nothing was put since the last write. */
  public boolean isEmpty() {
    return batch.isEmpty();
  }

  /** Writes what was put; the next put begins a new batch. */
  public void write() {
    if (!batch.isEmpty()) {
      WriteBatch full = batch;
      List<Optional<Ahead>> done = ahead;
      discard();
      if (engine instanceof AheadEngine working && !done.isEmpty()) {
        working.write(full, done, durability);
      } else {
        engine.write(full, durability);
      }
    }
  }

  /** Forgets what was put since the last write. */
  public void discard() {
    batch = new WriteBatch();
    ahead = new ArrayList<>();
  }

  private void makeRoom(long bytes, int count) {
    if (!batch.isEmpty() && !fits(bytes, count)) {
      write();
    }
  }
}
