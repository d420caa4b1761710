package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerStatus;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Archiver;
import io.ledgerkeep.archive.Restorer;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.core.archiving.ArchivedBodies;
import io.ledgerkeep.core.archiving.Archiving;
import io.ledgerkeep.core.archiving.Site;
import io.ledgerkeep.core.chain.BlockCursor;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.JobRecord;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.chain.Prepared;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.derived.DerivedStore.DerivedView;
import io.ledgerkeep.core.jobs.JobLock;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A ledger that is open. A commit goes: prepare (any thread) → commit lock → one DURABLE batch →
 * under the latch state and history BUFFERED, then the height becomes visible → now and then a
 * checkpoint makes state and history durable.
 */
final class OpenLedger implements Ledger {

  private static final long DEFAULT_UNARCHIVED_BLOCKS = 300_000;
  private static final long MIN_UNARCHIVED_BLOCKS = 10;
  private static final long CHECKPOINT_BYTES = 64L << 20;
  private static final long CHECKPOINT_BLOCKS = 10_000;
  private static final long CHUNK_BYTES = 8 << 20;
  private static final int CHUNK_BLOCKS = 1024;

  private final Parts parts;
  private final ChainStore chain;
  private final DerivedStore derived;
  private final BodyReader bodies;
  private final ArchivedBodies archivedBodies;
  private final Archiving archiving;
  private final StatusFile statusFile;
  private final JobLock jobLock = new JobLock();
  private final ReentrantLock commitLock = new ReentrantLock();

  /**
   * Held for writing while state and history of a block are written, for reading to look at all.
   */
  private final ReentrantReadWriteLock latch = new ReentrantReadWriteLock();

  private volatile long visibleHeight;
  private volatile long unarchivedBlocks;
  private volatile long derivedThrough;
  private boolean closed;

  /** Guarded by {@link #commitLock}. */
  private long bytesSinceCheckpoint;

  /** What opening brought together. */
  record Parts(
      Path directory,
      Settings settings,
      Resources resources,
      FormatRecord format,
      Map<Database, FormatRecord> formats,
      Map<Database, StorageEngine> engines,
      Map<Database, String> engineNames,
      Map<Database, Reserve> reserves) {

    StorageEngine engine(Database database) {
      return Objects.requireNonNull(engines.get(database));
    }

    int pieceBytes(Database database) {
      return Objects.requireNonNull(formats.get(database)).pieceBytes();
    }
  }

  private OpenLedger(Parts parts) {
    this.parts = parts;
    this.statusFile = new StatusFile(parts.directory());
    this.chain =
        ChainStore.open(
            parts.engine(Database.BLOCK),
            parts.pieceBytes(Database.BLOCK),
            parts.format().digest(),
            parts.directory().resolve("ids"),
            parts.format().ledgerId());
    parts.resources().add(chain);
    this.derived =
        new DerivedStore(
            parts.engine(Database.STATE),
            parts.pieceBytes(Database.STATE),
            parts.engine(Database.HISTORY),
            parts.pieceBytes(Database.HISTORY));
    this.derivedThrough = chain.derivedThrough();
    this.visibleHeight = chain.last();
    this.unarchivedBlocks = unarchivedBlocks(parts.settings());
    this.archiving = new Archiving(site(openStore(parts)), parts.settings().readThrough);
    this.archivedBodies = archiving.bodies();
    this.bodies =
        new BodyReader(
            chain.reader(), chain, this::height, () -> chain.mark().pivot(), archivedBodies);
  }

  static OpenLedger open(Parts parts) {
    OpenLedger ledger = new OpenLedger(parts);
    ledger.new ReservedRoom().during(ledger::catchUp);
    parts.reserves().values().forEach(Reserve::take);
    ledger.writeStatus();
    return ledger;
  }

  private static Optional<ArchiveStore> openStore(Parts parts) {
    Settings.StoreChoice choice = parts.settings().store;
    if (choice == null) {
      return Optional.empty();
    }
    ArchiveStore store = choice.open(parts.settings().classLoader);
    if (choice.isOurs()) {
      parts.resources().add(store);
    }
    return Optional.of(store);
  }

  private Site site(Optional<ArchiveStore> store) {
    return new Site(
        chain,
        parts.format().digest(),
        parts.format().chainId(),
        parts.format().ledgerId(),
        store,
        this::height,
        () -> unarchivedBlocks,
        this::ensureDerived,
        new ReservedRoom(),
        jobLock,
        Optional.ofNullable(parts.settings().verifier),
        parts.settings().executor);
  }

  private long unarchivedBlocks(Settings settings) {
    Optional<Long> kept = chain.unarchivedBlocks();
    if (settings.unarchivedBlocks == null) {
      return kept.orElse(DEFAULT_UNARCHIVED_BLOCKS);
    }
    long wanted = Math.max(settings.unarchivedBlocks, MIN_UNARCHIVED_BLOCKS);
    if (kept.isEmpty() || kept.get() != wanted) {
      chain.setUnarchivedBlocks(wanted);
    }
    return wanted;
  }

  // ------------------------------------------------------------------------------------ recovery

  /** Brings state and history to the last height; refuses what cannot be from this chain. */
  private void catchUp() {
    requireDerivedFits("state", derived.stateHeight());
    requireDerivedFits("history", derived.historyHeight());
    if (derivedThrough < visibleHeight) {
      replay(derivedThrough + 1, visibleHeight);
      checkpoint();
    }
  }

  private void requireDerivedFits(String database, long height) {
    if (height > visibleHeight || height < derivedThrough) {
      throw new IntegrityException(
          "the %s database is at height %d, but the block database is at %d and recorded %d: one of"
                  .formatted(database, height, visibleHeight, derivedThrough)
              + " them is another copy; run ledgerkeep doctor");
    }
  }

  private void replay(long firstHeight, long lastHeight) {
    try (BlockCursor cursor = chain.reader().blocks(firstHeight, lastHeight)) {
      List<Block> chunk = new ArrayList<>();
      long bytes = 0;
      while (cursor.hasNext()) {
        Block block = cursor.next().block().decode();
        chunk.add(block);
        bytes += block.rawBytes();
        if (bytes >= CHUNK_BYTES || chunk.size() >= CHUNK_BLOCKS || !cursor.hasNext()) {
          derived.apply(chunk);
          chunk = new ArrayList<>();
          bytes = 0;
        }
      }
    }
  }

  // ------------------------------------------------------------------------------------ commit

  @Override
  public void commit(Block block) {
    commitAll(List.of(block));
  }

  @Override
  public void commitAll(List<Block> blocks) {
    MessageDigest digest = parts.format().digest().newDigest();
    int next = 0;
    while (next < blocks.size()) {
      List<Prepared> chunk = new ArrayList<>();
      long bytes = 0;
      while (next < blocks.size() && bytes < CHUNK_BYTES && chunk.size() < CHUNK_BLOCKS) {
        Prepared prepared = Prepared.of(blocks.get(next++), digest);
        bytes += prepared.stored().bodyBytes();
        chunk.add(prepared);
      }
      append(chunk);
    }
  }

  private void append(List<Prepared> blocks) {
    commitLock.lock();
    try {
      requireOpen();
      chain.append(blocks, this::becameDurable);
    } finally {
      commitLock.unlock();
    }
  }

  /** From here on the blocks are committed, whatever happens. */
  private void becameDurable(List<Prepared> durable) {
    try {
      makeVisible(durable.stream().map(Prepared::block).toList());
      if (bytesSinceCheckpoint >= CHECKPOINT_BYTES
          || visibleHeight - derivedThrough >= CHECKPOINT_BLOCKS) {
        checkpoint();
      }
    } catch (RuntimeException e) {
      chain.refuseWrites();
      throw new StorageException(
          e instanceof StorageException s && s.isOutOfSpace()
              ? StorageException.Kind.OUT_OF_SPACE
              : StorageException.Kind.FATAL,
          "block %d is committed, but state and history did not follow; open the ledger again"
              .formatted(chain.last()),
          e,
          chain.last());
    }
    if (statusFile.isDue()) {
      writeStatus();
    }
  }

  private void makeVisible(List<Block> blocks) {
    latch.writeLock().lock();
    try {
      bytesSinceCheckpoint += derived.apply(blocks);
      visibleHeight = chain.last();
    } finally {
      latch.writeLock().unlock();
    }
  }

  private void checkpoint() {
    long height = visibleHeight;
    derived.flush();
    chain.checkpoint(height);
    derivedThrough = height;
    bytesSinceCheckpoint = 0;
  }

  private void ensureDerived(long height) {
    commitLock.lock();
    try {
      if (derivedThrough < height) {
        checkpoint();
      }
    } finally {
      commitLock.unlock();
    }
  }

  // ------------------------------------------------------------------------------------ read

  @Override
  public long height() {
    return visibleHeight;
  }

  @Override
  public long archivedHeight() {
    return chain.mark().pivot();
  }

  @Override
  public Optional<Block> block(long height) {
    return bodies.meta(height).map(bodies::block);
  }

  @Override
  public Optional<Block> blockByHash(Bytes hash) {
    return bodies.metaByHash(hash).map(bodies::block);
  }

  @Override
  public Optional<Transaction> transaction(String id) {
    return bodies.transaction(id);
  }

  @Override
  public Optional<RwSet> rwSet(String id) {
    return bodies.rwSet(id);
  }

  @Override
  public Optional<BlockMeta> meta(long height) {
    return bodies.meta(height).map(MetaRow::meta);
  }

  @Override
  public Optional<BlockMeta> metaByHash(Bytes hash) {
    return bodies.metaByHash(hash).map(MetaRow::meta);
  }

  @Override
  public Optional<BlockMeta> metaOfTransaction(String id) {
    return bodies.locationOf(id).flatMap(at -> meta(at.height()));
  }

  @Override
  public Optional<Bytes> state(String namespace, Bytes key) {
    Optional<Bytes> first = derived.firstPiece(namespace, key);
    if (first.isEmpty() || !derived.continues(first.get())) {
      return first;
    }
    // A large value lies in several pieces: only a view is sure to see those of one moment.
    try (LedgerView view = view()) {
      return view.state(namespace, key);
    }
  }

  @Override
  public CloseableIterator<StateEntry> scanState(String namespace, KeyRange range) {
    return ViewIterator.over(view(), view -> view.scanState(namespace, range));
  }

  @Override
  public CloseableIterator<HistoryEntry> history(String namespace, Bytes key) {
    return ViewIterator.over(view(), view -> view.history(namespace, key));
  }

  @Override
  public LedgerView view() {
    latch.readLock().lock();
    try {
      DerivedView derivedView = derived.view();
      try {
        return new OpenView(chain, visibleHeight, derivedView, archivedBodies);
      } catch (RuntimeException e) {
        derivedView.close();
        throw e;
      }
    } finally {
      latch.readLock().unlock();
    }
  }

  // ------------------------------------------------------------------------------------ the rest

  @Override
  public Archiver archiver() {
    return archiving.archiver();
  }

  @Override
  public Restorer restorer() {
    return archiving.restorer();
  }

  @Override
  public Archive archive() {
    return archiving.archive();
  }

  @Override
  public Optional<String> archivePlace() {
    return archiving.place();
  }

  @Override
  public Verification verify(Verification.Request request) {
    return archiving.verify(request, visibleHeight);
  }

  @Override
  public LedgerStatus status() {
    FormatRecord format = parts.format();
    Map<Database, Long> sizes = new EnumMap<>(Database.class);
    parts.engines().forEach((database, engine) -> sizes.put(database, engine.sizeBytes()));
    return new LedgerStatus(
        format.chainId(),
        format.ledgerId().hex(),
        visibleHeight < 0 ? Bytes.EMPTY : chain.reader().requiredMeta(0).meta().hash(),
        format.digest().id(),
        FormatRecord.VERSION,
        format.compatibilityVersion(),
        visibleHeight,
        archivedHeight(),
        archiving.highestArchivableHeight(),
        unarchivedBlocks,
        derivedThrough,
        parts.settings().readThrough,
        archivePlace().orElse(""),
        job(),
        parts.engineNames(),
        sizes);
  }

  private String job() {
    String running = jobLock.runningJob();
    return running.isEmpty()
        ? chain.job().map(JobRecord::step).map(step -> step.job() + " (interrupted)").orElse("")
        : running;
  }

  private void writeStatus() {
    statusFile.write(status(), true);
  }

  @Override
  public void close() {
    jobLock.close();
    commitLock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      try {
        if (derivedThrough < visibleHeight) {
          checkpoint();
        }
        statusFile.write(status(), false);
      } catch (RuntimeException | Error e) {
        // What is not checkpointed is replayed by the next opening.
        parts.resources().closeAfter(e);
        throw e;
      }
      parts.resources().close();
    } finally {
      commitLock.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the ledger is closed");
    }
  }

  /** Releases the reserves of all databases when a job meets a full disk. */
  private final class ReservedRoom implements Site.Room {

    @Override
    public void during(Runnable write) {
      try {
        write.run();
      } catch (StorageException e) {
        if (!e.isOutOfSpace() || !release()) {
          throw e;
        }
        write.run();
      }
    }

    private boolean release() {
      boolean released = false;
      for (Reserve reserve : parts.reserves().values()) {
        released |= reserve.release();
      }
      return released;
    }

    @Override
    public void refill() {
      parts.reserves().values().forEach(Reserve::take);
    }
  }
}
