package io.ledgerkeep.core.archive;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.segment.SegmentCache;
import io.ledgerkeep.core.segment.SegmentReader;
import io.ledgerkeep.core.segment.SegmentReader.Place;
import io.ledgerkeep.core.segment.SegmentSummary;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.KeyUnavailableException;
import io.ledgerkeep.error.StorageException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongFunction;

/** The archive of one ledger. Serves any number of threads. */
public final class LedgerArchive implements Archive {

  private static final long FRAME_CACHE_BYTES = 16L << 20;
  private static final int OPEN_SEGMENTS = 32;

  private final ArchiveStore store;
  private final boolean closesStore;
  private final boolean closesKeys;
  private final Manifest manifest;
  private final Executor executor;
  private final SegmentCache frames = new SegmentCache(FRAME_CACHE_BYTES);
  private final Cache<String, SegmentReader> readers =
      CacheBuilder.newBuilder().maximumSize(OPEN_SEGMENTS).build();

  private LedgerArchive(
      ArchiveStore store,
      boolean closesStore,
      boolean closesKeys,
      Manifest manifest,
      Executor executor) {
    this.store = store;
    this.closesStore = closesStore;
    this.closesKeys = closesKeys;
    this.manifest = manifest;
    this.executor = executor;
  }

  /** Reads an archive in a store that stays open when the archive is closed. */
  public static LedgerArchive of(ArchiveStore store, Manifest manifest, Executor executor) {
    return new LedgerArchive(store, false, false, manifest, executor);
  }

  /** Reads an archive in a store that is closed with the archive, like its keys. */
  public static LedgerArchive owning(ArchiveStore store, Manifest manifest) {
    return new LedgerArchive(store, true, true, manifest, Runnable::run);
  }

  /** Reads an archive whose keys are closed with it, in a store that stays open. */
  public static LedgerArchive alone(ArchiveStore store, Manifest manifest) {
    return new LedgerArchive(store, false, true, manifest, Runnable::run);
  }

  /** Returns the manifest. */
  public Manifest manifest() {
    return manifest;
  }

  /** Returns a reader of a segment, which is the one that the manifest lists. */
  public SegmentReader reader(Segment segment) {
    SegmentReader reader = readers.getIfPresent(segment.name());
    if (reader == null) {
      reader = openListed(segment);
      readers.put(segment.name(), reader);
    }
    return reader;
  }

  /**
   * Returns the blocks of a segment from a height on, as far as they count, read ahead on the
   * executor.
   */
  public CloseableIterator<StoredBlock> blocks(
      Segment segment, long firstHeight, Executor readsAhead) {
    return reader(segment).blocks(firstHeight, segment.lastHeight(), readsAhead);
  }

  /**
   * Asks the segment that holds the height, which the archive must have. Where it was replaced
   * meanwhile, and its object is gone, the one in its place is asked.
   *
   * @throws KeyUnavailableException also if that one is under a key that was made since
   */
  public <T> T ask(long height, Function<SegmentReader, T> question) {
    while (true) {
      Segment segment = manifest.requiredSegmentAt(height);
      try {
        return question.apply(reader(segment));
      } catch (IntegrityException | StorageException e) {
        if (!wasReplaced(segment)) {
          throw e;
        }
      }
    }
  }

  /** Returns whether another segment has the place of this one by now. */
  boolean wasReplaced(Segment segment) {
    if (manifest.requiredSegmentAt(segment.firstHeight()).equals(segment)) {
      manifest.refresh();
    }
    boolean replaced = !manifest.requiredSegmentAt(segment.firstHeight()).equals(segment);
    if (replaced) {
      readers.invalidate(segment.name());
    }
    return replaced;
  }

  /** Opens a segment that the manifest does not list yet. */
  public SegmentReader openUnlisted(String name) {
    return SegmentReader.open(store, name, frames, manifest.keys());
  }

  SegmentReader openListed(Segment segment) {
    SegmentReader reader = SegmentReader.open(store, segment.name(), frames, manifest.keys());
    SegmentSummary found = reader.summary();
    if (!manifest.lists(found, segment.name())
        || !found.header().genesisHash().equals(genesisHash())
        || !found.header().ledgerId().equals(manifest.names().ledgerId())
        || found.header().seal().isPresent() != manifest.isSealed()) {
      throw new IntegrityException(
          "segment %s in %s is not the one the manifest lists: expected digest %s, found %s"
              .formatted(segment.name(), place(), segment.digest().hex(), found.digest().hex()));
    }
    return reader;
  }

  /** Returns what is wrong with the objects that hold the keys. */
  public List<String> keyFindings() {
    return keyObjects().findings(manifest.sealedUnder(), manifest.keys());
  }

  /** Returns the objects that hold its keys. */
  public KeyObjects keyObjects() {
    return new KeyObjects(store, manifest.names());
  }

  @Override
  public String chainId() {
    return manifest.chainId();
  }

  @Override
  public Bytes genesisHash() {
    return manifest.names().genesisHash();
  }

  @Override
  public String ledgerId() {
    return manifest.names().ledgerId().hex();
  }

  @Override
  public String place() {
    return store.place();
  }

  @Override
  public long firstHeight() {
    return manifest.firstHeight();
  }

  @Override
  public long lastHeight() {
    return manifest.lastHeight();
  }

  @Override
  public List<Segment> segments() {
    return manifest.segments();
  }

  @Override
  public List<Segment> retiredSegments() {
    return manifest.retired();
  }

  @Override
  public Optional<Block> block(long height) {
    return manifest.segmentAt(height).isEmpty()
        ? Optional.empty()
        : Optional.of(ask(height, reader -> reader.block(height).decode()));
  }

  @Override
  public Optional<Block> blockByHash(Bytes hash) {
    return newestFirst(
        (reader, last) -> {
          OptionalLong height = reader.findHash(hash);
          return height.isEmpty() || height.getAsLong() > last
              ? Optional.empty()
              : Optional.of(reader.block(height.getAsLong()).decode());
        });
  }

  @Override
  public Optional<Transaction> transaction(String id) {
    return transactionPlace(
        id,
        (reader, at) ->
            StoredBlock.transaction(reader.transactionRow(at.height(), at.index()).row()));
  }

  @Override
  public Optional<RwSet> rwSet(String id) {
    return transactionPlace(
        id, (reader, at) -> StoredBlock.rwSet(id, reader.rwSetRow(at.height(), at.index()).row()));
  }

  private <T> Optional<T> transactionPlace(String id, BiFunction<SegmentReader, Place, T> read) {
    return newestFirst(
        (reader, last) ->
            reader.find(id).filter(at -> at.height() <= last).map(at -> read.apply(reader, at)));
  }

  /** Asks every segment, and tells how far it counts: beyond that it may have what is no more. */
  private <T> Optional<T> newestFirst(BiFunction<SegmentReader, Long, Optional<T>> question) {
    List<Segment> segments = segments();
    for (int i = segments.size() - 1; i >= 0; i--) {
      Segment segment = segments.get(i);
      Optional<T> answer =
          ask(segment.firstHeight(), reader -> question.apply(reader, segment.lastHeight()));
      if (answer.isPresent()) {
        return answer;
      }
    }
    return Optional.empty();
  }

  @Override
  public Verification verify(Verification.Request request) {
    return new ArchiveCheck(this, executor, request, Optional.empty()).run();
  }

  /** Checks the archive; at level LEDGER every block against a ledger's own record. */
  public Verification verify(
      Verification.Request request, LongFunction<Optional<BlockMeta>> recorded) {
    return new ArchiveCheck(this, executor, request, Optional.of(recorded)).run();
  }

  @Override
  public void close() {
    readers.invalidateAll();
    if (closesKeys) {
      manifest.keys().close();
    }
    if (closesStore) {
      store.close();
    }
  }
}
