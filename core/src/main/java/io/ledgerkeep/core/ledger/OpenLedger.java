package io.ledgerkeep.core.ledger;

import com.google.common.collect.ImmutableMap;
import io.ledgerkeep.Backup;
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
import io.ledgerkeep.core.audit.AuditLog;
import io.ledgerkeep.core.audit.JobBook;
import io.ledgerkeep.core.backup.BackupSource;
import io.ledgerkeep.core.chain.BlockCursor;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.JobRecord;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.chain.Prepared;
import io.ledgerkeep.core.control.ControlServer;
import io.ledgerkeep.core.derived.DerivedCheck;
import io.ledgerkeep.core.derived.DerivedRows;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.derived.DerivedStore.DerivedView;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.ledger.Preparation.Ready;
import io.ledgerkeep.core.ledger.Preparation.Slice;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.core.rollback.Aim;
import io.ledgerkeep.core.rollback.RestOfRollBack;
import io.ledgerkeep.core.rollback.RollBack;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.core.sealing.EpochEncryptor;
import io.ledgerkeep.core.sealing.SealedEngine;
import io.ledgerkeep.encryption.LedgerKeys;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A ledger that is open. A commit goes: prepare (any thread) → commit lock → one DURABLE batch →
 * under the latch state and history BUFFERED, then the height becomes visible → now and then a
 * checkpoint makes state and history durable.
 */
final class OpenLedger implements Ledger {

  private static final Logger LOG = LoggerFactory.getLogger(OpenLedger.class);
  private static final long DEFAULT_UNARCHIVED_BLOCKS = 300_000;
  private static final long MIN_UNARCHIVED_BLOCKS = 10;
  private static final long CHECKPOINT_BYTES = 64L << 20;
  private static final long CHUNK_BYTES = 8 << 20;
  private static final int CHUNK_BLOCKS = 1024;
  private static final int SLICE_BLOCKS = 16;
  private static final long SLICE_BYTES = 1 << 20;
  private static final int SLICES_AHEAD = 64;
  private static final long BYTES_AHEAD = 16 << 20;

  private final Parts parts;
  private final ChainStore chain;
  private final DerivedStore derived;
  private final Preparation preparation;
  private final BodyReader bodies;
  private final ArchivedBodies archivedBodies;
  private final Site site;
  private final Archiving archiving;
  private final Optional<LedgerKeys> keys;
  private final StatusFile statusFile;
  private final ReservedRoom room;
  private final OpenNotes notes;
  private final JobBook jobBook;
  private final ReentrantLock commitLock = new ReentrantLock();

  /**
   * Held for writing while state and history of a block are written, for reading to look at all.
   */
  private final ReentrantReadWriteLock latch = new ReentrantReadWriteLock();

  /** Ended with the ledger: an engine that was handed in goes on without it. */
  private final Set<OpenView> views = ConcurrentHashMap.newKeySet();

  private volatile long visibleHeight;
  private final long unarchivedBlocks;
  private volatile long derivedThrough;
  private volatile boolean closed;

  /** Guarded by {@link #latch}: state and history have a part of a block that is not visible. */
  private boolean halfApplied;

  /** Guarded by {@link #commitLock}. */
  private long bytesSinceCheckpoint;

  /** Guarded by {@link #commitLock}: of blocks that are committed, and not visible yet. */
  private final List<DerivedRows> behind = new ArrayList<>();

  /** Guarded by {@link #commitLock}. */
  private boolean unarchivedBlocksKept;

  /** Set while the ledger is opened, if at all. */
  private Optional<ControlServer> control = Optional.empty();

  /**
   * What opening brought together.
   *
   * @param blockHome where the block database lies, and all that belongs to it
   */
  record Parts(
      Path directory,
      Path blockHome,
      Settings settings,
      Resources resources,
      FormatRecord format,
      Map<Database, FormatRecord> formats,
      Map<Database, StorageEngine> engines,
      Map<Database, String> engineNames,
      ReservedRoom room,
      ArchiveKeys archiveKeys,
      Supplier<String> encryption,
      Optional<EpochEncryptor> epochs,
      Map<Database, SealedEngine> onSealed) {

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
    this.room = parts.room();
    this.derived =
        new DerivedStore(
            parts.engine(Database.STATE),
            parts.pieceBytes(Database.STATE),
            parts.engine(Database.HISTORY),
            parts.pieceBytes(Database.HISTORY));
    requireCopiesOfOneTime();
    this.chain = room.toGet(() -> openChain(parts));
    parts.resources().add(chain);
    this.derivedThrough = chain.derivedThrough();
    this.visibleHeight = chain.last();
    this.preparation =
        new Preparation(parts.format().digest(), chain.rowMaker(), derived, () -> visibleHeight);
    this.notes =
        new OpenNotes(
            new AuditLog(parts.blockHome(), parts.archiveKeys(), Clock.systemUTC()), chain, room);
    this.jobBook = new JobBook(() -> writeStatus(true), this::writeStatusIfDue, notes);
    this.unarchivedBlocks = room.toGet(() -> unarchivedBlocks(parts.settings()));
    this.unarchivedBlocksKept =
        parts.settings().unarchivedBlocks == null || !parts.settings().keepsUnarchivedBlocks;
    this.site = site(openStore(parts));
    this.archiving = new Archiving(site, parts.settings().readThrough);
    this.archivedBodies = archiving.bodies();
    this.keys = parts.epochs().map(this::keys);
    this.bodies =
        new BodyReader(
            chain.reader(), chain, () -> visibleHeight, () -> chain.mark().pivot(), archivedBodies);
  }

  static OpenLedger open(Parts parts) {
    parts.room().during(() -> RestOfRollBack.finish(parts.directory(), parts.engines()));
    OpenLedger ledger = new OpenLedger(parts);
    ledger.room.during(
        () -> {
          ledger.catchUp();
          ledger.followRegistry();
          ledger.notes.open();
          ledger.jobBook.open();
        });
    ledger.room.refill();
    if (parts.settings().control != null) {
      ledger.serve(parts.settings().control);
    }
    ledger.writeStatus(true);
    LOG.debug("the ledger in {} is open at height {}", parts.directory(), ledger.visibleHeight);
    return ledger;
  }

  private void serve(Executor threads) {
    control = Optional.of(ControlServer.start(parts.directory(), this, threads));
  }

  private LedgerKeys keys(EpochEncryptor epochs) {
    Settings settings = parts.settings();
    return new OpenKeys(
        epochs,
        parts.onSealed(),
        (name, options) -> settings.encryption.masterKey(name, options, settings.classLoader),
        jobBook,
        archiving);
  }

  private static ChainStore openChain(Parts parts) {
    return ChainStore.open(
        parts.engine(Database.BLOCK),
        parts.pieceBytes(Database.BLOCK),
        parts.format().digest(),
        parts.blockHome().resolve("ids"),
        parts.format().ledgerId());
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
        parts.archiveKeys(),
        () -> visibleHeight,
        () -> unarchivedBlocks,
        this::beforeArchiving,
        room,
        parts.settings().handOverBytes,
        jobBook,
        Optional.ofNullable(parts.settings().verifier),
        parts.settings().executor);
  }

  private long unarchivedBlocks(Settings settings) {
    Optional<Long> kept = chain.unarchivedBlocks();
    long wanted = unarchivedBlocks(settings, kept);
    if (settings.unarchivedBlocks != null && kept.isEmpty() && settings.keepsUnarchivedBlocks) {
      chain.setUnarchivedBlocks(wanted);
    }
    return wanted;
  }

  /** Returns how many of the newest blocks are never archived, where so many are kept in mind. */
  static long unarchivedBlocks(Settings settings, Optional<Long> kept) {
    return settings.unarchivedBlocks == null
        ? kept.orElse(DEFAULT_UNARCHIVED_BLOCKS)
        : Math.max(settings.unarchivedBlocks, MIN_UNARCHIVED_BLOCKS);
  }

  /** Who only looks at a ledger does not change what it keeps; who commits or archives does. */
  private void keepUnarchivedBlocks() {
    if (!unarchivedBlocksKept) {
      if (!chain.unarchivedBlocks().equals(Optional.of(unarchivedBlocks))) {
        chain.setUnarchivedBlocks(unarchivedBlocks);
      }
      unarchivedBlocksKept = true;
    }
  }

  // ------------------------------------------------------------------------------------ recovery

  /**
   * Refuses databases that cannot belong together, before anything is written: one of them may be
   * the only good copy.
   */
  /** Whoever replaced the registry may have died before the databases refused the one before. */
  private void followRegistry() {
    parts.onSealed().values().forEach(SealedEngine::recordGeneration);
  }

  private void requireCopiesOfOneTime() {
    ChainStore.Heights heights = ChainStore.Heights.of(parts.engine(Database.BLOCK));
    requireFits("state", derived.stateHeight(), heights);
    requireFits("history", derived.historyHeight(), heights);
  }

  private static void requireFits(String database, long height, ChainStore.Heights heights) {
    if (height > heights.last() || height < heights.derivedThrough()) {
      throw new IntegrityException(
          "the %s database is at height %s, but the block database is at %s and recorded %s: one of"
                  .formatted(database, height, heights.last(), heights.derivedThrough())
              + " them is another copy; run ledgerkeep doctor");
    }
  }

  /** Brings state and history to the last height. */
  private void catchUp() {
    JobWatch watch = parts.settings().replayWatch;
    if (watch != null) {
      watch.begin("replay", visibleHeight - derivedThrough);
    }
    if (derivedThrough < visibleHeight) {
      LOG.info("state and history follow, from height {} to {}", derivedThrough, visibleHeight);
      replay(derivedThrough + 1, visibleHeight);
      checkpoint();
    }
  }

  private void replay(long firstHeight, long lastHeight) {
    JobWatch watch = parts.settings().replayWatch;
    try (BlockCursor cursor = chain.reader().blocks(firstHeight, lastHeight)) {
      List<Block> chunk = new ArrayList<>();
      long bytes = 0;
      while (cursor.hasNext()) {
        Block block = cursor.next().block().decode();
        chunk.add(block);
        bytes += block.rawBytes();
        if (bytes >= CHUNK_BYTES || chunk.size() >= CHUNK_BLOCKS || !cursor.hasNext()) {
          derived.apply(derived.prepare(chunk, any -> false));
          if (watch != null) {
            watch.advance(chunk.size(), bytes);
          }
          chunk = new ArrayList<>();
          bytes = 0;
        }
      }
    }
  }

  // ------------------------------------------------------------------------------------ commit

  @Override
  public void commit(Block block) {
    requireOpen();
    try (OrderedPipeline<DerivedRows> meanwhile =
        new OrderedPipeline<>(parts.settings().executor)) {
      meanwhile.submit(Preparation.copiedBytes(block), () -> preparation.derivedRows(block));
      append(
          List.of(preparation.chainRows(block)),
          durable -> durable.stream().map(any -> derivedRows(block, meanwhile)).toList());
    }
  }

  /** What could not be sealed ahead is sealed when it is written, and that tells why not. */
  private DerivedRows derivedRows(Block block, OrderedPipeline<DerivedRows> meanwhile) {
    try {
      return meanwhile.takeUninterruptibly();
    } catch (KeyUnavailableException e) {
      return preparation.derivedRowsAsTheyAre(block);
    }
  }

  /** Prepares blocks on all cores while those before them are written. */
  @Override
  public void commitAll(List<Block> blocks) {
    requireOpen();
    try (OrderedPipeline<Slice> slices =
        new OrderedPipeline<>(parts.settings().executor, SLICES_AHEAD, BYTES_AHEAD)) {
      List<Ready> chunk = new ArrayList<>();
      long bytes = 0;
      for (int next = 0; next < blocks.size() || !slices.isEmpty(); ) {
        while (next < blocks.size() && !slices.isFull()) {
          next += submit(blocks, next, slices);
        }
        Slice slice = slices.takeUninterruptibly();
        chunk.addAll(slice.blocks());
        bytes += slice.bytes();
        boolean isLast = next == blocks.size() && slices.isEmpty();
        if (bytes >= CHUNK_BYTES || chunk.size() >= CHUNK_BLOCKS || isLast || slice.isRefused()) {
          append(chunk);
          slice.requireNotRefused();
          chunk = new ArrayList<>();
          bytes = 0;
        }
      }
    }
  }

  /** Returns how many blocks it submitted: they are in memory already, only copies cost more. */
  private int submit(List<Block> blocks, int first, OrderedPipeline<Slice> slices) {
    int until = first;
    long copied = 0;
    while (until < blocks.size() && until - first < SLICE_BLOCKS && copied < SLICE_BYTES) {
      copied += Preparation.copiedBytes(blocks.get(until));
      until++;
    }
    List<Block> slice = blocks.subList(first, until);
    slices.submit(copied, () -> preparation.of(slice));
    return slice.size();
  }

  private void append(List<Ready> blocks) {
    // By identity: of two equal blocks one is passed over.
    IdentityHashMap<Prepared, DerivedRows> derivedRows = new IdentityHashMap<>();
    blocks.forEach(ready -> derivedRows.put(ready.block(), ready.derived()));
    append(
        blocks.stream().map(Ready::block).toList(),
        durable -> durable.stream().map(derivedRows::get).toList());
  }

  private void append(
      List<Prepared> blocks, Function<List<Prepared>, List<DerivedRows>> derivedRows) {
    commitLock.lock();
    try {
      requireOpen();
      if (!behind.isEmpty()) {
        follow();
      }
      keepUnarchivedBlocks();
      chain.append(blocks, durable -> becameDurable(derivedRows.apply(durable)));
    } finally {
      commitLock.unlock();
    }
  }

  /**
   * From here on the blocks are committed; a failure lets the chain refuse all that follows. Only
   * where a key could not be reached nothing is in doubt: applying the same again completes it.
   */
  private void becameDurable(List<DerivedRows> durable) {
    LOG.atTrace()
        .addKeyValue("height", chain.last())
        .addKeyValue("blocks", durable.size())
        .log("committed");
    behind.addAll(durable);
    follow();
    writeStatusIfDue();
  }

  private void writeStatusIfDue() {
    if (statusFile.isDue()) {
      writeStatus(true);
    }
  }

  private void follow() {
    try {
      if (!behind.isEmpty()) {
        makeVisible(behind);
        behind.clear();
      }
      if (bytesSinceCheckpoint >= CHECKPOINT_BYTES
          || visibleHeight - derivedThrough >= parts.settings().checkpointBlocks) {
        checkpoint();
      }
    } catch (KeyUnavailableException e) {
      throw new StorageException(
          StorageException.Kind.RETRYABLE,
          "block %s is committed, but a key was not there to seal state and history; they follow when a block is committed, this one again or the next"
              .formatted(chain.last()),
          e,
          chain.last());
    } catch (RuntimeException e) {
      throw new StorageException(
          e instanceof StorageException s && s.isOutOfSpace()
              ? StorageException.Kind.OUT_OF_SPACE
              : StorageException.Kind.FATAL,
          "block %s is committed, but state and history did not follow; open the ledger again"
              .formatted(chain.last()),
          e,
          chain.last());
    }
  }

  private void makeVisible(List<DerivedRows> blocks) {
    latch.writeLock().lock();
    try {
      halfApplied = true;
      bytesSinceCheckpoint += derived.apply(blocks);
      visibleHeight = chain.last();
      halfApplied = false;
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
    LOG.atDebug().addKeyValue("height", height).log("checkpoint");
  }

  private void beforeArchiving(long height) {
    commitLock.lock();
    try {
      keepUnarchivedBlocks();
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
    requireOpen();
    return visibleHeight;
  }

  @Override
  public long archivedHeight() {
    requireOpen();
    return chain.mark().pivot();
  }

  @Override
  public Optional<Block> block(long height) {
    return bodies().meta(height).map(bodies()::block);
  }

  @Override
  public Optional<Block> blockByHash(Bytes hash) {
    return bodies().metaByHash(hash).map(bodies()::block);
  }

  @Override
  public Optional<Transaction> transaction(String id) {
    return bodies().transaction(id);
  }

  @Override
  public Optional<RwSet> rwSet(String id) {
    return bodies().rwSet(id);
  }

  @Override
  public Optional<BlockMeta> meta(long height) {
    return bodies().meta(height).map(MetaRow::meta);
  }

  @Override
  public Optional<BlockMeta> metaByHash(Bytes hash) {
    return bodies().metaByHash(hash).map(MetaRow::meta);
  }

  @Override
  public Optional<BlockMeta> metaOfTransaction(String id) {
    return bodies().locationOf(id).flatMap(at -> meta(at.height()));
  }

  @Override
  public Optional<Bytes> state(String namespace, Bytes key) {
    requireOpen();
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
      requireOpen();
      requireWholeBlocks();
      DerivedView derivedView = derived.view();
      try {
        OpenView view =
            new OpenView(chain, visibleHeight, derivedView, archivedBodies, views::remove);
        views.add(view);
        return view;
      } catch (RuntimeException e) {
        derivedView.close();
        throw e;
      }
    } finally {
      latch.readLock().unlock();
    }
  }

  private BodyReader bodies() {
    requireOpen();
    return bodies;
  }

  private void requireWholeBlocks() {
    if (halfApplied) {
      throw new StorageException(
          StorageException.Kind.FATAL,
          "state and history have a part of block %s, as an earlier write failed; commit that block again if a key was not there, or open the ledger again"
              .formatted(visibleHeight + 1));
    }
  }

  // ------------------------------------------------------------------------------------ for a copy

  Parts parts() {
    return parts;
  }

  Site site() {
    return site;
  }

  Archiving archiving() {
    return archiving;
  }

  /** Returns what rolls the ledger back; it is to be closed then. */
  RollBack rollBack(Aim aim, JobWatch watch) {
    return new RollBack(
        site,
        archiving,
        new RollBack.Parts(
            parts.engines(), parts.pieceBytes(Database.STATE), parts.pieceBytes(Database.HISTORY)),
        aim,
        watch);
  }

  MetaRow metaRow(long height) {
    return chain.reader().requiredMeta(height);
  }

  /** Returns the encoded size of all normal bodies, wherever they are. */
  long bodyBytes() {
    return visibleHeight < 0 ? 0 : metaRow(visibleHeight).normalBytes();
  }

  /** Returns the encoded size of the bodies that are in the archive only. */
  long archivedBytes() {
    long pivot = chain.mark().pivot();
    return pivot == 0 ? 0 : metaRow(pivot).normalBytes();
  }

  long highestNormal(long height) {
    return chain.reader().highestNormal(height);
  }

  /** Returns the highest height that an archive run may reach now, or 0. */
  long highestArchivableHeight() {
    return archiving.highestArchivableHeight();
  }

  DerivedView derivedView() {
    return derived.view();
  }

  /**
   * Opens snapshots of all databases between two commits: what is in them is of whole blocks of one
   * height. For who has the lock of jobs; the caller closes it.
   */
  BackupSource backupSource() {
    commitLock.lock();
    try {
      requireOpen();
      follow();
      chain.sweep();
      latch.readLock().lock();
      try {
        requireWholeBlocks();
        return BackupSources.of(parts, chain);
      } finally {
        latch.readLock().unlock();
      }
    } finally {
      commitLock.unlock();
    }
  }

  /** Returns what is wrong with the objects of keys in the archive, as {@link #verify} finds it. */
  List<String> archiveKeyFindings() {
    return archiving.keyFindings();
  }

  /** Makes the objects of keys in the archive, if there is one, follow the registry. */
  void reconcileArchiveKeys() {
    archiving.reconcileKeys();
  }

  /** Deletes what there is of archived bodies from a height on, and gives their space back. */
  void dropArchivedBodies(long firstHeight) {
    long pivot = chain.mark().pivot();
    if (firstHeight <= pivot) {
      chain.deleteArchivedBodies(firstHeight, pivot);
      chain.compactBodies(firstHeight, pivot);
    }
  }

  /** Keeps what the other ledger keeps of settings; durable when it returns. */
  void keepSettingsOf(OpenLedger other) {
    other.chain.unarchivedBlocks().ifPresent(chain::setUnarchivedBlocks);
  }

  // ------------------------------------------------------------------------------------ the rest

  @Override
  public Archiver archiver() {
    requireOpen();
    return archiving.archiver(() -> parts.settings().usableBytes.applyAsLong(parts.blockHome()));
  }

  @Override
  public Restorer restorer() {
    requireOpen();
    return archiving.restorer();
  }

  @Override
  public Backup backup() {
    requireOpen();
    return new LedgerBackup(this, jobBook, Clock.systemUTC());
  }

  @Override
  public Archive archive() {
    requireOpen();
    return archiving.archive();
  }

  @Override
  public Optional<LedgerKeys> keys() {
    requireOpen();
    return keys;
  }

  @Override
  public Jobs jobs() {
    requireOpen();
    return new OpenJobs(this, jobBook);
  }

  @Override
  public Optional<String> archivePlace() {
    requireOpen();
    return archiving.place();
  }

  @Override
  public Verification verify(Verification.Request request) {
    requireOpen();
    return jobBook.runBeside(
        "verify",
        ImmutableMap.of("level", request.level().name().toLowerCase(Locale.ROOT)),
        run -> {
          Verification found = check(request, run.watch(request.control())).with(notes.findings());
          run.ended(
              found.cancelled(),
              ImmutableMap.of(
                  "blocks",
                  found.blocks(),
                  "unchecked",
                  found.uncheckedBlocks(),
                  "findings",
                  found.findings().size()));
          return found;
        });
  }

  /** Returns what is wrong with the audit file. */
  List<String> auditFindings() {
    return notes.findings();
  }

  /** Checks all but the audit file, and leaves no line there. */
  Verification check(Verification.Request request) {
    return check(request, new JobWatch(request.control(), jobBook.lock()::isClosing));
  }

  private Verification check(Verification.Request request, JobWatch watch) {
    long height;
    DerivedCheck check;
    latch.readLock().lock();
    try {
      requireWholeBlocks();
      height = visibleHeight;
      check = derived.newCheck();
    } finally {
      latch.readLock().unlock();
    }
    try (check) {
      return archiving.verify(request, height, check, watch);
    }
  }

  @Override
  public LedgerStatus status() {
    requireOpen();
    return currentStatus();
  }

  private LedgerStatus currentStatus() {
    FormatRecord format = parts.format();
    Map<Database, Long> sizes = new EnumMap<>(Database.class);
    parts.engines().forEach((database, engine) -> sizes.put(database, engine.sizeBytes()));
    return new LedgerStatus(
        format.chainId(),
        format.ledgerId().hex(),
        visibleHeight < 0 ? Bytes.EMPTY : chain.reader().requiredMeta(0).meta().hash(),
        format.digest().id(),
        parts.encryption().get(),
        FormatRecord.VERSION,
        format.compatibilityVersion(),
        visibleHeight,
        chain.mark().pivot(),
        archiving.highestArchivableHeight(),
        unarchivedBlocks,
        derivedThrough,
        parts.settings().readThrough,
        archiving.place().orElse(""),
        job(),
        jobBook.lastBackup(),
        jobBook.lastVerification(),
        parts.engineNames(),
        sizes);
  }

  private String job() {
    String running = jobBook.lock().runningJob();
    return running.isEmpty()
        ? chain.job().map(JobRecord::step).map(step -> step.job() + " (interrupted)").orElse("")
        : running;
  }

  /** A failure to tell how the ledger stands is no failure of the ledger. */
  private void writeStatus(boolean open) {
    try {
      statusFile.write(currentStatus(), keys, jobBook, open);
    } catch (RuntimeException e) {
      LOG.debug("cannot tell the status of {}: {}", parts.directory(), e.toString());
    }
  }

  @Override
  public void close() {
    jobBook.lock().close();
    control.ifPresent(ControlServer::close);
    commitLock.lock();
    try {
      if (closed) {
        return;
      }
      endViews();
      try {
        if (derivedThrough < visibleHeight) {
          checkpoint();
        }
        writeStatus(false);
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

  /** The latch sees to it that none is opened meanwhile. */
  private void endViews() {
    latch.writeLock().lock();
    try {
      closed = true;
    } finally {
      latch.writeLock().unlock();
    }
    List.copyOf(views).forEach(OpenView::close);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the ledger is closed");
    }
  }
}
