package io.ledgerkeep.core.chain;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.core.chain.ChainKeys.BodyKey;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.files.SmallFile;
import io.ledgerkeep.core.rows.PieceKeys;
import io.ledgerkeep.core.rows.RowMaker;
import io.ledgerkeep.core.rows.RowReader;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The block database as it is written. One DURABLE batch with the record of the last height is the
 * commit point of a block; rows above that height are invisible and swept away.
 *
 * <p>{@link #append} is for one thread at a time, which the caller sees to; the rest serves any
 * number of threads.
 */
public final class ChainStore implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ChainStore.class);
  private static final long NONE = -1;

  private final StorageEngine engine;
  private final int pieceBytes;
  private final Digests digests;
  private final ChainReader reader;
  private final IdFilter filter;

  private volatile long last;
  private volatile ArchiveMark mark;
  private @Nullable MetaRow lastMeta;
  private boolean rowsAboveLast;
  private volatile boolean failed;

  private ChainStore(
      StorageEngine engine, int pieceBytes, Digests digests, IdFilter filter, ChainReader reader) {
    this.engine = engine;
    this.pieceBytes = pieceBytes;
    this.digests = digests;
    this.filter = filter;
    this.reader = reader;
    this.last = number(ChainKeys.LAST).orElse(NONE);
    this.mark = storedMark(engine);
  }

  /**
   * Opens the chain of an engine: sweeps away what an interrupted commit left above the last height
   * and brings the id filter up to it. May be called again after a failure.
   */
  public static ChainStore open(
      StorageEngine engine, int pieceBytes, Digests digests, Path filterDirectory, Bytes ledgerId) {
    ChainReader reader = new ChainReader(RowReader.newest(engine, pieceBytes));
    FilterMark covered =
        engine.get(ChainKeys.FILTER).map(FilterMark::decode).orElse(FilterMark.NONE);
    IdFilter filter = openFilter(filterDirectory, IdFilter.key(ledgerId), covered);
    ChainStore store = new ChainStore(engine, pieceBytes, digests, filter, reader);
    if (store.mark.pivot() > Math.max(store.last, 0)) {
      throw new IntegrityException(
          "the pivot %s is above the last height %s; run ledgerkeep doctor"
              .formatted(store.mark.pivot(), store.last));
    }
    store.sweepAboveLast();
    store.coverIds(filter.isNew() ? NONE : covered.height());
    if (filter.isNew() && store.last > NONE) {
      store.keepFilter();
    }
    if (store.last >= 0) {
      store.lastMeta = reader.requiredMeta(store.last);
    }
    return store;
  }

  /**
   * What the block database says of its heights before anything is opened or changed.
   *
   * @param last the newest committed height, or -1
   * @param derivedThrough up to where state and history are known to be durable, or -1
   */
  public record Heights(long last, long derivedThrough) {

    /** Reads the heights of the block database. */
    public static Heights of(StorageEngine engine) {
      return new Heights(
          number(engine, ChainKeys.LAST).orElse(NONE),
          number(engine, ChainKeys.DERIVED).orElse(NONE));
    }
  }

  /** Up to which height, with how many ids in how many layers, the filter was last made durable. */
  private record FilterMark(long height, int layers, long ids) {

    static final FilterMark NONE = new FilterMark(-1, 0, 0);

    FilterMark upTo(long newHeight) {
      return new FilterMark(Math.min(height, newHeight), layers, ids);
    }

    Bytes encode() {
      return new ByteWriter(20).u64(height).u32(layers).u64(ids).take();
    }

    static FilterMark decode(Bytes record) {
      ByteReader in = new ByteReader(record, "the record of the id filter");
      FilterMark mark = new FilterMark(in.u64(), in.u32(), in.u64());
      in.end();
      return mark;
    }
  }

  /** Returns the record of the id filter that says no more than that it covers this height. */
  static Optional<Bytes> coveredUpTo(StorageEngine engine, long height) {
    return engine
        .get(ChainKeys.FILTER)
        .map(record -> FilterMark.decode(record).upTo(height).encode());
  }

  /**
   * Prepares a block database that was put back, with state and history of a height: the next
   * opening applies the blocks above that, and makes the id filter anew. Durable on return.
   */
  public static void prepareRestored(StorageEngine engine, long height, long derivedThrough) {
    WriteBatch batch = new WriteBatch().delete(ChainKeys.FILTER);
    Branches.add(batch, engine, height);
    engine.write(
        derivedThrough < 0
            ? batch.delete(ChainKeys.DERIVED)
            : batch.put(ChainKeys.DERIVED, number(derivedThrough)),
        Durability.DURABLE);
  }

  private static IdFilter openFilter(Path directory, long key, FilterMark covered) {
    try {
      try {
        return IdFilter.open(directory, key, covered.layers(), covered.ids());
      } catch (IOException e) {
        LOG.warn(
            "the id filter is made anew from the index, as it is not whole: {}", e.getMessage());
        return IdFilter.create(directory, key);
      }
    } catch (IOException e) {
      throw SmallFile.failed("cannot write the id filter in " + directory, e);
    }
  }

  /** Adds the ids and hashes of all blocks above the height that the filter covers. */
  private void coverIds(long coveredHeight) {
    if (coveredHeight >= last) {
      return;
    }
    if (coveredHeight < mark.pivot()) {
      // bodies may be gone; the indexes have everything
      coverIndex(ChainKeys.ids());
      coverIndex(ChainKeys.hashes());
      return;
    }
    try (BlockCursor blocks = reader.blocks(coveredHeight + 1, last)) {
      while (blocks.hasNext()) {
        StoredBlock block = blocks.next().block();
        cover(block.head().hash());
        for (Rope row : block.transactions()) {
          cover(Bytes.ofUtf8(StoredBlock.transactionId(row.join())));
        }
      }
    }
  }

  /** Spares the next opening to make the filter anew; where there is no room, it will do so. */
  private void keepFilter() {
    try {
      checkpoint(derivedThrough());
    } catch (StorageException e) {
      LOG.warn("the id filter will be made anew again: {}", e.getMessage());
    }
  }

  private void coverIndex(KeyRange index) {
    try (StorageEngine.Cursor cursor = engine.scan(index)) {
      while (cursor.next()) {
        cover(ChainKeys.indexed(cursor.key()));
      }
    }
  }

  private void cover(Bytes idOrHash) {
    filter.makeRoom(1);
    filter.add(filter.hash(idOrHash));
  }

  /** Returns the newest committed height, or -1. */
  public long last() {
    return last;
  }

  /** Returns the pivot and the manifest entry recorded with it. */
  public ArchiveMark mark() {
    return mark;
  }

  /** Returns whether the body of the block is in the archive only. */
  public boolean isArchived(BlockMeta meta) {
    return meta.kind() == Block.Kind.NORMAL && meta.height() <= mark.pivot();
  }

  /** Returns a reader of the newest rows. */
  public ChainReader reader() {
    return reader;
  }

  /** Returns a reader of the rows of a snapshot. */
  public ChainReader reader(StorageEngine.Snapshot snapshot) {
    return new ChainReader(new RowReader(snapshot, pieceBytes));
  }

  /** Returns what makes the rows of blocks for {@link #append}. */
  public RowMaker rowMaker() {
    return RowMaker.of(engine, pieceBytes);
  }

  /** Returns whether the filter says that the id may be known. */
  public boolean mightKnow(String id) {
    return mightKnow(Bytes.ofUtf8(id));
  }

  /** Returns whether the filter says that the id or hash may be known. */
  public boolean mightKnow(Bytes idOrHash) {
    return filter.mightContain(filter.hash(idOrHash));
  }

  // ------------------------------------------------------------------------------------ append

  /**
   * Appends blocks in as few batches as they fit in. Blocks equal to committed ones are passed
   * over. After each commit point the listener is told what became durable.
   */
  public void append(List<Prepared> blocks, Consumer<List<Prepared>> committed) {
    requireWritable();
    if (rowsAboveLast) {
      sweepAboveLast();
    }
    Appending appending = new Appending(committed);
    for (Prepared block : blocks) {
      appending.add(block);
    }
    appending.commit();
  }

  /** The blocks that go into the next commit point. */
  private final class Appending {

    private final Consumer<List<Prepared>> committed;
    private final RowWriter writer = new RowWriter(engine, pieceBytes, Durability.DURABLE);
    private final Map<String, Long> ids = new HashMap<>();
    private final Map<Bytes, Long> hashes = new HashMap<>();
    private List<Prepared> open = new ArrayList<>();
    private @Nullable MetaRow newest = lastMeta;

    Appending(Consumer<List<Prepared>> committed) {
      this.committed = committed;
    }

    void add(Prepared block) {
      long height = block.block().height();
      if (height <= last + open.size()) {
        commitBeforeRefusing(() -> requireEqual(block));
        return;
      }
      if (!open.isEmpty() && !writer.fits(block.batchBytes(), block.rowCount())) {
        commit();
      }
      commitBeforeRefusing(() -> requireNext(block));
      open.add(block);
      MetaRow meta =
          newest == null
              ? MetaRow.genesis(block.stored(), block.digests())
              : MetaRow.after(newest, block.stored(), block.digests());
      newest = meta;
      guarded(() -> put(block.rows(), meta, writer));
    }

    /** A refused block takes none of the good ones before it down. */
    private void commitBeforeRefusing(Runnable check) {
      try {
        check.run();
      } catch (ConflictException e) {
        commit();
        throw e;
      }
    }

    void commit() {
      if (open.isEmpty()) {
        return;
      }
      long height = last + open.size();
      writer.record(ChainKeys.LAST, number(height));
      guarded(
          () -> {
            filter.makeRoom(ids.size() + hashes.size());
            writer.write();
          });
      rowsAboveLast = false;
      // The blocks are committed: whoever does not come to the end of this must not go on.
      failed = true;
      last = height;
      lastMeta = newest;
      ids.values().forEach(filter::add);
      ids.clear();
      hashes.values().forEach(filter::add);
      hashes.clear();
      List<Prepared> durable = open;
      open = new ArrayList<>();
      tell(durable);
    }

    /** Who only lacked a key follows with the next commit, and lets the chain go on. */
    private void tell(List<Prepared> durable) {
      try {
        committed.accept(durable);
        failed = false;
      } catch (StorageException e) {
        failed = !(e.getCause() instanceof KeyUnavailableException);
        throw e;
      }
    }

    /**
     * Runs a write. Where it is known that nothing was committed, the chain goes on as if nothing
     * had been asked of it; anything else leaves the engine in doubt until it is opened again.
     */
    private void guarded(Runnable write) {
      rowsAboveLast = true;
      failed = true;
      try {
        write.run();
        failed = false;
      } catch (StorageException e) {
        if (e.isOutOfSpace()) {
          failed = false;
          throw e;
        }
        throw tellingWhatIsCommitted(e);
      } catch (KeyUnavailableException e) {
        failed = false; // a batch is sealed before any of it is written
        throw e;
      }
    }

    private StorageException tellingWhatIsCommitted(StorageException e) {
      long height = last + open.size();
      try {
        return Heights.of(engine).last() == height
            ? new StorageException(
                StorageException.Kind.FATAL,
                "block %s is committed although the engine failed; open the ledger again"
                    .formatted(height),
                e,
                height)
            : new StorageException(
                StorageException.Kind.FATAL,
                "block %s is not committed, as the engine failed; open the ledger again"
                    .formatted(height),
                e);
      } catch (RuntimeException unreadable) {
        e.addSuppressed(unreadable);
        return new StorageException(
            StorageException.Kind.FATAL,
            "the engine failed and cannot tell whether block %s is committed; open the ledger again"
                .formatted(height),
            e);
      }
    }

    private void requireEqual(Prepared block) {
      long height = block.block().height();
      Bytes known =
          height <= last
              ? BlockDigests.recordDigest(reader.requiredMeta(height).meta(), digests.newDigest())
              : open.get((int) (height - last - 1)).recordDigest();
      if (!known.equals(block.recordDigest())) {
        throw new ConflictException(Reason.BLOCK, "another block is committed at height " + height);
      }
    }

    private void requireNext(Prepared prepared) {
      Block block = prepared.block();
      long next = last + open.size() + 1;
      if (block.height() != next) {
        throw new ConflictException(
            Reason.BLOCK, "the next height is " + next + ", not " + block.height());
      }
      if (newest != null && !newest.meta().hash().equals(block.previousHash())) {
        throw new ConflictException(
            Reason.BLOCK,
            "block %s names the previous hash %s, but block %s has the hash %s"
                .formatted(next, block.previousHash().hex(), next - 1, newest.meta().hash().hex()));
      }
      long hashBits = requireNewHash(block);
      requireNewIds(block);
      hashes.put(block.hash(), hashBits);
    }

    /** Two blocks of one hash would share an entry of the index. */
    private long requireNewHash(Block block) {
      long bits = filter.hash(block.hash());
      if (hashes.containsKey(block.hash())
          || (filter.mightContain(bits)
              && reader.heightOf(block.hash()).orElse(Long.MAX_VALUE) <= last)) {
        throw new ConflictException(
            Reason.BLOCK,
            "block %s repeats the hash %s of an earlier block"
                .formatted(block.height(), block.hash().hex()));
      }
      return bits;
    }

    private void requireNewIds(Block block) {
      Map<String, Long> added = new HashMap<>();
      for (Transaction transaction : block.transactions()) {
        String id = transaction.id();
        long bits = filter.hash(Bytes.ofUtf8(id));
        if (ids.containsKey(id) || added.put(id, bits) != null || isCommitted(id, bits)) {
          throw new ConflictException(
              Reason.DUPLICATE_TRANSACTION,
              "block " + block.height() + " repeats transaction id '" + id + "'");
        }
      }
      ids.putAll(added);
    }

    private boolean isCommitted(String id, long bits) {
      return filter.mightContain(bits)
          && reader.locationOf(id).filter(location -> location.height() <= last).isPresent();
    }
  }

  /**
   * Removes what a commit that failed has left above the last height. For who may append.
   *
   * @throws StorageException if the engine is in doubt since
   */
  public void sweep() {
    requireWritable();
    if (rowsAboveLast) {
      sweepAboveLast();
    }
  }

  /** Puts all rows of a block: body, index entries, meta, hash. */
  private static void put(Prepared.Rows rows, MetaRow meta, RowWriter writer) {
    rows.beforeMeta().forEach(writer::put);
    writer.put(ChainKeys.meta(meta.meta().height()), Rope.of(meta.encode()));
    writer.put(rows.hash());
  }

  /**
   * Removes the rows above the last height; an index entry goes before the row that leads to it.
   */
  private void sweepAboveLast() {
    long from = last + 1;
    for (Block.Kind kind : List.of(Block.Kind.NORMAL, Block.Kind.CONFIG)) {
      KeyRange bodies = ChainKeys.bodiesFrom(kind, from);
      sweepIds(bodies);
      remove(bodies);
    }
    sweepHashes(ChainKeys.metasFrom(from));
    remove(ChainKeys.metasFrom(from));
    rowsAboveLast = false;
  }

  private void sweepIds(KeyRange bodies) {
    RowWriter writer = new RowWriter(engine, pieceBytes, Durability.DURABLE);
    try (StorageEngine.Cursor cursor = engine.scan(bodies)) {
      while (cursor.next()) {
        if (BodyKey.of(cursor.key()).part() == ChainKeys.TRANSACTION) {
          String id = StoredBlock.transactionId(cursor.value());
          if (reader.locationOf(id).filter(location -> location.height() > last).isPresent()) {
            writer.delete(ChainKeys.id(id));
          }
        }
      }
    }
    writer.write();
  }

  private void sweepHashes(KeyRange metas) {
    RowWriter writer = new RowWriter(engine, pieceBytes, Durability.DURABLE);
    try (StorageEngine.Cursor cursor = engine.scan(metas)) {
      while (cursor.next()) {
        ByteReader in = new ByteReader(cursor.value(), "a meta above the last height");
        in.u8();
        Bytes hash = in.sized();
        if (reader.heightOf(hash).orElse(NONE) > last) {
          writer.delete(ChainKeys.hash(hash));
        }
      }
    }
    writer.write();
  }

  private void remove(KeyRange rows) {
    engine.deleteRange(rows);
    engine.deleteRange(PieceKeys.pieces(rows));
  }

  // ------------------------------------------------------------------------------------ records

  /** Returns up to where state and history are known to be durable, or -1. */
  public long derivedThrough() {
    return number(ChainKeys.DERIVED).orElse(NONE);
  }

  /** Records that state and history are durable up to the height, and the id filter up to last. */
  public void checkpoint(long derivedThrough) {
    int layers = filter.force();
    write(
        new WriteBatch()
            .put(ChainKeys.DERIVED, number(derivedThrough))
            .put(ChainKeys.FILTER, new FilterMark(last, layers, filter.count()).encode()));
  }

  /** Returns how many of the newest blocks are never archived, if it was ever set. */
  public Optional<Long> unarchivedBlocks() {
    return number(ChainKeys.UNARCHIVED);
  }

  /** Keeps how many of the newest blocks are never archived. */
  public void setUnarchivedBlocks(long blocks) {
    write(new WriteBatch().put(ChainKeys.UNARCHIVED, number(blocks)));
  }

  /** Returns what is kept of the newest line of the audit file, if anything is. */
  public Optional<Bytes> auditMark() {
    return engine.get(ChainKeys.AUDIT);
  }

  /** Keeps what tells the newest line of the audit file. */
  public void keepAuditMark(Bytes mark) {
    write(new WriteBatch().put(ChainKeys.AUDIT, mark));
  }

  /** Returns what a job has begun and not finished. */
  public Optional<JobRecord> job() {
    return engine.get(ChainKeys.JOB).map(JobRecord::decode);
  }

  /** Records what a job begins. */
  public void beginJob(JobRecord job) {
    write(new WriteBatch().put(ChainKeys.JOB, job.encode()));
  }

  /** Records that nothing is left of a job. */
  public void endJob() {
    write(new WriteBatch().delete(ChainKeys.JOB));
  }

  // ------------------------------------------------------------------------------------ archive

  /**
   * The commit point of archiving: from here on the bodies up to the pivot are the archive's. One
   * batch moves the pivot, records the manifest entry and says what is to be deleted.
   */
  public void raisePivot(ArchiveMark newMark, JobRecord deletion) {
    write(
        new WriteBatch()
            .put(ChainKeys.PIVOT, newMark.encode())
            .put(ChainKeys.JOB, deletion.encode()));
    mark = newMark;
  }

  /** Records with the pivot, which stays, a newer manifest entry that the archive has to hold. */
  public void recordManifest(long sequence, Bytes digest) {
    ArchiveMark newMark = new ArchiveMark(mark.pivot(), sequence, digest);
    write(new WriteBatch().put(ChainKeys.PIVOT, newMark.encode()));
    mark = newMark;
  }

  /** Returns where the archive has to end before it is written again, if it has to. */
  public Optional<ArchiveEnd> archiveEnd() {
    return engine.get(ChainKeys.ARCHIVE_END).map(ArchiveEnd::decode);
  }

  /** Records that it ends there, with the manifest entry that the archive has to hold since. */
  public void archiveEnded(long sequence, Bytes digest) {
    ArchiveMark newMark = new ArchiveMark(mark.pivot(), sequence, digest);
    write(new WriteBatch().put(ChainKeys.PIVOT, newMark.encode()).delete(ChainKeys.ARCHIVE_END));
    mark = newMark;
  }

  /**
   * Deletes the bodies of normal blocks of a range, bounded by the pivot, which is read anew: a
   * write that failed may have moved it all the same. Idempotent.
   */
  public void deleteArchivedBodies(long firstHeight, long lastHeight) {
    mark = storedMark(engine);
    long bounded = Math.min(lastHeight, mark.pivot());
    if (firstHeight <= bounded) {
      remove(ChainKeys.bodies(firstHeight, bounded));
    }
  }

  /** Gives the space of deleted bodies of a range back. */
  public void compactBodies(long firstHeight, long lastHeight) {
    KeyRange bodies = ChainKeys.bodies(firstHeight, lastHeight);
    engine.compact(bodies);
    engine.compact(PieceKeys.pieces(bodies));
  }

  /**
   * Puts the bodies of blocks at or below the pivot back, where they are invisible; durable when it
   * returns. Genesis and config blocks are stepped over.
   */
  public void putBack(List<StoredBlock> blocks) {
    RowWriter writer = new RowWriter(engine, pieceBytes, Durability.DURABLE);
    for (StoredBlock block : blocks) {
      if (block.head().kind() == Block.Kind.NORMAL) {
        Prepared.body(block, RowMaker.NOTHING_AHEAD).forEach(writer::put);
      }
    }
    writer.write();
  }

  /** From here on the bodies above the new pivot, all of which were put back, are the node's. */
  public void lowerPivot(long newPivot) {
    ArchiveMark lowered = mark.withPivot(newPivot);
    write(new WriteBatch().put(ChainKeys.PIVOT, lowered.encode()));
    mark = lowered;
  }

  /** Returns a snapshot of the database. The caller closes it. */
  public StorageEngine.Snapshot snapshot() {
    return engine.snapshot();
  }

  /** Returns the size of the database on disk, in bytes. */
  public long sizeBytes() {
    return engine.sizeBytes();
  }

  /** Closes the filter; the engine is closed by who opened it. */
  @Override
  public void close() {
    filter.close();
  }

  private static ArchiveMark storedMark(StorageEngine engine) {
    return engine.get(ChainKeys.PIVOT).map(ArchiveMark::decode).orElse(ArchiveMark.NONE);
  }

  private void requireWritable() {
    if (failed) {
      throw new StorageException(
          StorageException.Kind.FATAL,
          "an earlier write failed, so that writes are refused; open the ledger again");
    }
  }

  private void write(WriteBatch batch) {
    engine.write(batch, Durability.DURABLE);
  }

  private Optional<Long> number(Bytes key) {
    return number(engine, key);
  }

  static Optional<Long> number(StorageEngine engine, Bytes key) {
    return engine.get(key).map(row -> new ByteReader(row, "a record").u64());
  }

  static Bytes number(long value) {
    return new ByteWriter(8).u64(value).take();
  }
}
