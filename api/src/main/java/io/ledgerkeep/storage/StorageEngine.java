package io.ledgerkeep.storage;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import java.util.List;
import java.util.Optional;

/**
 * An ordered map of bytes to bytes that outlives its process. A {@link StorageEngineProvider} opens
 * it; the ledger knows nothing else of an engine.
 *
 * <p>An engine keeps these rules; the contract test of the testkit has a test named after each.
 *
 * <ol>
 *   <li>Keys are ordered as strings of unsigned bytes. Keys have 1 byte at least, values may be
 *       empty, and both come back as they were put. Keys asked for together are answered in their
 *       order.
 *   <li>A batch is all or nothing: no read, no scan and no crash ever shows a part of it. Of two
 *       mutations of one key in it the later holds.
 *   <li>A {@link Durability#DURABLE} write survives a crash of the machine once {@link #write} has
 *       returned.
 *   <li>A {@link Durability#BUFFERED} write may be lost by a crash of the machine, together with
 *       the buffered writes after it but never without them. A later durable write does not make it
 *       durable; {@link #flush} does, with all writes that returned before.
 *   <li>A write that returned is seen by every read that begins afterwards, in any thread.
 *   <li>A scan and a snapshot see one moment: no later write, whole batches only.
 *   <li>{@link #deleteRange} removes every key of the range that was there when it was called. When
 *       it returns no crash brings one back, also none that a BUFFERED write had deleted before. It
 *       may be called again after a failure, is not atomic, and may take keys of the range away
 *       from older snapshots and scans; nothing outside the range changes.
 *   <li>{@link #compact} changes no answer; afterwards the space of what was deleted from the
 *       range, and is seen by no snapshot, was given back as far as the engine can.
 *   <li>What exceeds {@link #limits} is refused with {@link IllegalArgumentException} and changes
 *       nothing. What is within them is accepted.
 *   <li>The engine serves any number of threads; a cursor serves one at a time.
 *   <li>After {@link #close} every method throws {@link IllegalStateException}, also of snapshots
 *       and cursors, which do so after a close of their own too; closing twice, closing children
 *       late or never, and closing while other threads read or write does no harm.
 *   <li>A store that is open is refused to a second opener, in this process or another, with {@link
 *       io.ledgerkeep.error.ConflictException}; once closed it can be opened again and holds what
 *       was written, BUFFERED writes included.
 *   <li>Damage that a read meets is told by {@link IntegrityException}; nothing wrong is returned.
 *   <li>A full disk is told by a {@link StorageException} that says so; the batch is not applied,
 *       what was written before is whole, and writing works again when there is room, at the latest
 *       after the store was opened again.
 * </ol>
 */
public interface StorageEngine extends AutoCloseable {

  /** How far a write has come when {@link #write} returns. */
  enum Durability {
    /** Visible, and safe from a crash of the machine. */
    DURABLE,
    /** Visible; safe from a crash only after {@link #flush}. */
    BUFFERED
  }

  /** Reads at a moment. */
  interface Reader {

    /** Returns the value of the key, or empty where it has none. */
    Optional<Bytes> get(Bytes key);

    /**
     * Returns the values of the keys, in their order, each as {@link #get} has it. An engine that
     * is far away asks for them together.
     */
    default List<Optional<Bytes>> getAll(List<Bytes> keys) {
      return keys.stream().map(this::get).toList();
    }

    /** Returns a cursor before the first key of the range. The caller closes it. */
    Cursor scan(KeyRange range);
  }

  /** Sees one moment of the store until it is closed. Serves any number of threads. */
  interface Snapshot extends Reader, AutoCloseable {

    /** Ends the snapshot; closing it twice does nothing. */
    @Override
    void close();
  }

  /** Steps through a range in the order of the keys. For one thread at a time. */
  interface Cursor extends AutoCloseable {

    /** Steps to the next key; returns false when there is none. */
    boolean next();

    /** Returns the key stepped to. */
    Bytes key();

    /** Returns the value at the key stepped to. */
    Bytes value();

    /** Ends the cursor; closing it twice does nothing. */
    @Override
    void close();
  }

  /**
   * What an engine accepts.
   *
   * @param maxKeyBytes the longest key; at least 40 KiB, so that every key of a ledger fits
   * @param maxValueBytes the largest value; at least 64 KiB
   * @param maxBatchBytes the largest sum of keys and values in a batch; at least one longest key
   *     and largest value together
   * @param maxBatchCount the most mutations in a batch
   */
  record Limits(int maxKeyBytes, int maxValueBytes, long maxBatchBytes, int maxBatchCount) {

    /** Checks that the ledger can live with the limits. */
    public Limits {
      if (maxKeyBytes < 40 << 10
          || maxValueBytes < 64 << 10
          || maxBatchBytes < (long) maxKeyBytes + maxValueBytes
          || maxBatchCount < 16) {
        throw new IllegalArgumentException(
            "limits too small for a ledger: keys of %s bytes, values of %s, batches of %s mutations and %s bytes"
                .formatted(maxKeyBytes, maxValueBytes, maxBatchCount, maxBatchBytes));
      }
    }

    /**
     * Returns if the batch is within the limits: the one line an engine needs for rule 9.
     *
     * @throws IllegalArgumentException if it is not
     */
    public void check(WriteBatch batch) {
      if (batch.bytes() > maxBatchBytes || batch.size() > maxBatchCount) {
        throw new IllegalArgumentException(
            "a batch of %s mutations and %s bytes exceeds the limits of %s and %s"
                .formatted(batch.size(), batch.bytes(), maxBatchCount, maxBatchBytes));
      }
      batch.forEach(
          new WriteBatch.Visitor() {
            @Override
            public void put(Bytes key, Bytes value) {
              delete(key);
              if (value.size() > maxValueBytes) {
                throw new IllegalArgumentException(
                    "a value of %s bytes exceeds the limit of %s"
                        .formatted(value.size(), maxValueBytes));
              }
            }

            @Override
            public void delete(Bytes key) {
              if (key.isEmpty() || key.size() > maxKeyBytes) {
                throw new IllegalArgumentException(
                    "a key of %s bytes is outside 1 to %s".formatted(key.size(), maxKeyBytes));
              }
            }
          });
    }
  }

  /** Returns the value of the key, or empty where it has none. */
  Optional<Bytes> get(Bytes key);

  /**
   * Returns the values of the keys, in their order, each as {@link #get} has it at some moment of
   * the call. An engine that is far away asks for them together.
   */
  default List<Optional<Bytes>> getAll(List<Bytes> keys) {
    return keys.stream().map(this::get).toList();
  }

  /** Returns a cursor before the first key of the range, at this moment. The caller closes it. */
  Cursor scan(KeyRange range);

  /** Returns a view of this moment. The caller closes it. */
  Snapshot snapshot();

  /**
   * Applies the batch whole, or not at all.
   *
   * @throws IllegalArgumentException if it exceeds the limits; nothing was changed
   * @throws StorageException if the engine failed; unless it says out of space, whether the batch
   *     was applied is told by reading again, if need be after opening again
   */
  void write(WriteBatch batch, Durability durability);

  /** Makes every write that returned before durable. */
  void flush();

  /** Removes the keys of the range (rule 7). */
  void deleteRange(KeyRange range);

  /** Gives the space of deleted keys of the range back (rule 8). Needs room meanwhile. */
  void compact(KeyRange range);

  /** Returns what the engine accepts; the same for as long as it is open. */
  Limits limits();

  /** Returns the size of the store on disk, in bytes. */
  long sizeBytes();

  /** Closes the store with all its snapshots and cursors (rule 11). */
  @Override
  void close();
}
