package io.ledgerkeep.core.rebuilding;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.archiving.AllBlocks;
import io.ledgerkeep.core.archiving.Archiving;
import io.ledgerkeep.core.archiving.Site;
import io.ledgerkeep.core.chain.BlockCursor.Found;
import io.ledgerkeep.core.chain.ChainIndexes;
import io.ledgerkeep.core.chain.ChainIndexes.Correction;
import io.ledgerkeep.core.chain.ChainReader;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.derived.DerivedCheck;
import io.ledgerkeep.core.derived.DerivedRows;
import io.ledgerkeep.core.derived.DerivedStore;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.error.LedgerkeepException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Replays all blocks of a ledger into an empty state and history, from where they are. Then
 * compares what was built, and the indexes, with what the blocks came to: by sums, and row by row
 * with the blocks where these differ, or where it goes on with what an earlier call has built.
 * Notes what is wrong with the indexes and last puts them right: nothing of the ledger is changed
 * before all blocks have passed. For one thread, which others may help; close it.
 */
public final class Regeneration implements AutoCloseable {

  private static final int CHUNK_BLOCKS = 512;
  private static final long CHUNK_BYTES = 4 << 20;
  private static final int ROWS_AT_A_TIME = 1024;

  /** What is larger is sealed when it is written, so that there are no copies of it. */
  private static final long MAX_AHEAD_BYTES = 1 << 20;

  private final Site site;
  private final ChainStore chain;
  private final Archiving archiving;
  private final DerivedStore derived;
  private final ChainIndexes indexes;
  private final ReplacedRows replaced;
  private final boolean verifies;
  private final JobWatch watch;
  private final long last;
  private final Optional<ReplaySums> sums;
  private boolean filterLacks;
  private boolean indexesProven;
  private long blocks;
  private long archivedBlocks;

  /**
   * Prepares to rebuild.
   *
   * @param site the ledger
   * @param derived what is built
   * @param replaced where rows of the indexes are saved
   * @param verifies whether blocks are verified
   * @param scratch a file for what does not fit into memory, removed when this is closed
   */
  public Regeneration(
      Site site,
      Archiving archiving,
      DerivedStore derived,
      ChainIndexes indexes,
      ReplacedRows replaced,
      boolean verifies,
      Path scratch,
      JobWatch watch) {
    this.site = site;
    this.chain = site.chain();
    this.archiving = archiving;
    this.derived = derived;
    this.indexes = indexes;
    this.replaced = replaced;
    this.verifies = verifies;
    this.watch = watch;
    this.last = chain.last();
    ReplaySums fresh = new ReplaySums(scratch);
    this.sums = firstLacking() == 0 ? Optional.of(fresh) : Optional.empty();
    if (sums.isEmpty()) {
      fresh.close();
    }
  }

  private long firstLacking() {
    return 1 + Math.min(derived.stateHeight(), derived.historyHeight());
  }

  /** Returns how many blocks were replayed. */
  public long blocks() {
    return blocks;
  }

  /** Returns how many of them came from the archive. */
  public long archivedBlocks() {
    return archivedBlocks;
  }

  // ------------------------------------------------------------------------------------ replay

  /**
   * Replays the blocks that state or history lack; durable when it returns. Returns false if it was
   * cancelled.
   *
   * @throws IntegrityException naming the first block that is not what was committed
   */
  public boolean replay() {
    try (Applying applying = new Applying()) {
      boolean complete =
          inOrder("replay", firstLacking(), verifies, this::prepare, applying::apply);
      applying.finish();
      derived.flush();
      return complete;
    }
  }

  /**
   * Blocks made ready to be applied.
   *
   * @param filterLacks whether the id filter does not know one of their ids or hashes
   */
  private record Ready(
      List<DerivedRows> rows, Optional<ReplaySums.Part> sums, boolean filterLacks, long archived) {}

  private Ready prepare(List<Found> chunk) {
    MessageDigest digest = site.digests().newDigest();
    List<Block> decoded = new ArrayList<>(chunk.size());
    boolean lacks = false;
    long archived = 0;
    for (Found found : chunk) {
      try {
        decoded.add(proven(found, digest));
      } catch (IntegrityException e) {
        throw named(found, e);
      }
      lacks |= filterLacks(found);
      archived += chain.isArchived(found.meta().meta()) ? 1 : 0;
    }
    List<DerivedRows> rows = derived.prepare(decoded, block -> block.rawBytes() <= MAX_AHEAD_BYTES);
    return new Ready(rows, sums.map(of -> of.of(chunk, decoded)), lacks, archived);
  }

  private static IntegrityException named(Found found, IntegrityException e) {
    return new IntegrityException(
        "block " + found.meta().meta().height() + ": " + e.getMessage(), e);
  }

  private Block proven(Found found, MessageDigest digest) {
    if (verifies
        && !found
            .meta()
            .meta()
            .equals(BlockDigests.of(found.block(), digest).meta(found.block()))) {
      throw new IntegrityException("it is not what was committed");
    }
    Block block = found.block().decode();
    if (verifies) {
      site.verifier().ifPresent(rule -> rule.verify(block));
    }
    return block;
  }

  private boolean filterLacks(Found found) {
    if (!chain.mightKnow(found.meta().meta().hash())) {
      return true;
    }
    return found.block().transactions().stream()
        .anyMatch(row -> !chain.mightKnow(StoredBlock.transactionId(row.join())));
  }

  /** Applies to state and history side by side, while the next blocks are read. */
  private final class Applying implements AutoCloseable {

    private final OrderedPipeline<Boolean> halves = new OrderedPipeline<>(site.executor());

    void apply(Ready ready) {
      finish();
      if (!ready.rows().isEmpty()) {
        halves.submit(0, () -> applied(derived::applyToHistory, ready));
        halves.submit(0, () -> applied(derived::applyToState, ready));
      }
      sums.ifPresent(of -> ready.sums().ifPresent(of::add));
      filterLacks |= ready.filterLacks();
      blocks += ready.rows().size();
      archivedBlocks += ready.archived();
    }

    private boolean applied(Consumer<List<DerivedRows>> half, Ready ready) {
      half.accept(ready.rows());
      return true;
    }

    /** Waits until what was handed in is applied. */
    void finish() {
      while (!halves.isEmpty()) {
        halves.take();
      }
      FailPoint.pass("rebuild.applied");
    }

    @Override
    public void close() {
      halves.close();
    }
  }

  // ------------------------------------------------------------------------------------ compare

  /**
   * Compares all that was built with the blocks, and notes, durably, what is wrong with the
   * indexes. Returns false if it was cancelled.
   *
   * @throws IntegrityException with the first difference of what was built
   */
  public boolean compare() {
    ReplaySums.Outcome outcome =
        sums.map(of -> of.compare(derived, indexes, site.executor(), watch, last + 1))
            .orElse(ReplaySums.Outcome.UNKNOWN);
    indexesProven = outcome.indexesEqual();
    boolean complete =
        outcome.isComplete() && (outcome.isEqual() || compareRows(!outcome.indexesEqual()));
    if (complete && (filterLacks || !replaced.isEmpty())) {
      replaced.append(indexes.forgottenFilter());
    }
    FailPoint.pass("rebuild.saved");
    return complete;
  }

  private boolean compareRows(boolean indexesToo) {
    try (DerivedCheck check = derived.newCheck()) {
      boolean complete =
          inOrder(
              "compare",
              0,
              false,
              chunk -> compareRows(chunk, check, indexesToo),
              compared -> {
                replaced.append(compared.wrong());
                filterLacks |= compared.filterLacks();
              });
      if (complete) {
        check.finish();
      }
      return complete;
    }
  }

  private record Compared(List<Correction> wrong, boolean filterLacks) {}

  private Compared compareRows(List<Found> chunk, DerivedCheck check, boolean indexesToo) {
    List<Correction> wrong = new ArrayList<>();
    boolean lacks = false;
    for (Found found : chunk) {
      check.check(found.block().decode());
      if (indexesToo) {
        try {
          wrong.addAll(indexes.wrongOf(found.meta(), found.block()));
        } catch (IntegrityException e) {
          throw named(found, e);
        }
      }
      lacks |= filterLacks(found);
    }
    return new Compared(wrong, lacks);
  }

  // ------------------------------------------------------------------------------------ indexes

  /**
   * Puts the indexes right by what was noted, and removes entries that lead nowhere. Durable when
   * it returns, and harmless when done again. The id filter is then to be made anew, if anything
   * was wrong.
   */
  public void correct() {
    applyReplaced();
    FailPoint.pass("rebuild.corrected");
    long before = replaced.entries();
    if (!indexesProven) {
      removeSurplus();
    }
    if (replaced.entries() > before) {
      replaced.append(indexes.forgottenFilter());
      applyReplaced();
    }
    if (!replaced.isEmpty()) {
      site.room().during(() -> indexes.apply(indexes.forgottenFilter()));
    }
  }

  private void applyReplaced() {
    replaced.forEach(ROWS_AT_A_TIME, some -> site.room().during(() -> indexes.apply(some)));
  }

  private void removeSurplus() {
    List<Correction> some = new ArrayList<>();
    indexes.surplus(
        last + 1,
        transactions(),
        this::hashAt,
        this::idAt,
        correction -> {
          some.add(correction);
          if (some.size() >= ROWS_AT_A_TIME) {
            replaced.append(some);
            some.clear();
          }
        });
    replaced.append(some);
  }

  private long transactions() {
    long sum = 0;
    for (long height = 0; height <= last; height += CHUNK_BLOCKS) {
      for (MetaRow meta : chain.reader().metas(height, Math.min(last, height + CHUNK_BLOCKS - 1))) {
        sum += meta.meta().transactionCount();
      }
    }
    return sum;
  }

  private Optional<MetaRow> metaAt(long height) {
    return height < 0 || height > last
        ? Optional.empty()
        : Optional.of(chain.reader().requiredMeta(height));
  }

  private Optional<Bytes> hashAt(long height) {
    return metaAt(height).map(meta -> meta.meta().hash());
  }

  private Optional<String> idAt(ChainReader.Location at) {
    return metaAt(at.height())
        .map(MetaRow::meta)
        .filter(meta -> at.ordinal() >= 0 && at.ordinal() < meta.transactionCount())
        .map(
            meta ->
                chain.isArchived(meta)
                    ? archiving.bodies().transaction(meta, at.ordinal()).id()
                    : chain
                        .reader()
                        .transactionRow(meta, at.ordinal())
                        .map(StoredBlock::transactionId)
                        .orElseThrow(() -> ofNoUse(meta.height())));
  }

  private static IntegrityException ofNoUse(long height) {
    return new IntegrityException("block " + height + ": its body is not whole on the node");
  }

  @Override
  public void close() {
    sums.ifPresent(ReplaySums::close);
  }

  // ------------------------------------------------------------------------------------ in order

  /** Computes on the executor, in chunks, and takes the results in the order of heights. */
  private <R> boolean inOrder(
      String phase, long first, boolean linked, Function<List<Found>, R> task, Consumer<R> then) {
    watch.begin(phase, last + 1 - first);
    try (AllBlocks source = archiving.blocks(first, last);
        OrderedPipeline<Chunk<R>> pipeline = new OrderedPipeline<>(site.executor())) {
      Reading reading =
          new Reading(source, linked && first > 0 ? metaAt(first - 1) : Optional.empty(), linked);
      while (reading.hasNext() || !pipeline.isEmpty()) {
        if (watch.isCancelled()) {
          return false;
        }
        while (reading.hasNext() && !pipeline.isFull()) {
          List<Found> chunk = reading.chunk();
          long bytes = reading.chunkBytes();
          pipeline.submit(bytes, () -> new Chunk<>(task.apply(chunk), chunk.size(), bytes));
          reading
              .failure()
              .ifPresent(
                  failure ->
                      pipeline.submit(
                          0,
                          () -> {
                            throw failure;
                          }));
        }
        Chunk<R> next = pipeline.take();
        then.accept(next.result());
        watch.advance(next.blocks(), next.bytes());
      }
      return true;
    }
  }

  private record Chunk<R>(R result, long blocks, long bytes) {}

  /** Reads ahead; a failure waits for its turn, as a block before it may be bad too. */
  private static final class Reading {

    private final AllBlocks source;
    private final boolean linked;
    private Optional<MetaRow> previous;
    private Optional<LedgerkeepException> failure = Optional.empty();
    private long bytes;

    Reading(AllBlocks source, Optional<MetaRow> previous, boolean linked) {
      this.source = source;
      this.previous = previous;
      this.linked = linked;
    }

    boolean hasNext() {
      return failure.isEmpty() && source.hasNext();
    }

    Optional<LedgerkeepException> failure() {
      return failure;
    }

    /** Returns the encoded size of the bodies of the chunk read last. */
    long chunkBytes() {
      return bytes;
    }

    List<Found> chunk() {
      List<Found> chunk = new ArrayList<>();
      bytes = 0;
      try {
        while (source.hasNext() && chunk.size() < CHUNK_BLOCKS && bytes < CHUNK_BYTES) {
          Found found = source.next();
          requireLink(found.meta());
          chunk.add(found);
          bytes += found.block().bodyBytes();
        }
      } catch (LedgerkeepException e) {
        failure = Optional.of(e);
      }
      return chunk;
    }

    private void requireLink(MetaRow meta) {
      if (linked) {
        previous.ifPresent(before -> meta.requireAfter(before));
        previous = Optional.of(meta);
      }
    }
  }
}
