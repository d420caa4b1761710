package io.ledgerkeep.core.backup;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.backup.BackupFile.Content;
import io.ledgerkeep.core.chain.ChainTables;
import io.ledgerkeep.core.chain.MetaRow;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes the files of a backup: blocks → indexes → state → history → records. Each is durable, and
 * was read back, before {@code BEGUN} names it, from which the next call goes on; that is done on
 * the executor while the next one is written. For one thread; close it.
 */
final class BackupWriter implements AutoCloseable {

  /** One file is written while one is made durable and read back. */
  private static final int FILES_READ_BACK = 2;

  private static final int METAS_AT_A_TIME = 256;

  /** So many bytes of rows are dealt with before progress is told and a wish to end is heard. */
  private static final long STEP_BYTES = 1 << 20;

  private final Path home;
  private final BackupSource source;
  private final BackupScope scope;
  private final BackupHead head;
  private final KeptFiles kept;
  private final JobWatch watch;
  private final Executor executor;
  private final long fileBytes;

  /** All whose rows were ended, and those of an earlier call, in their order. */
  private final List<BackupFile> files = new ArrayList<>();

  /** Those of them that have their names. */
  private final Set<BackupFile> named = new HashSet<>();

  /** Those that have none yet. */
  private final List<RowFileWriter> open = new ArrayList<>();

  private final Queue<MetaRow> metas = new ArrayDeque<>();
  private final OrderedPipeline<Ended> readBack;
  private long stepBlocks;
  private long stepBytes;

  BackupWriter(
      Path home,
      BackupSource source,
      BackupScope scope,
      BackupHead head,
      JobWatch watch,
      Executor executor,
      long fileBytes) {
    this.home = home;
    this.source = source;
    this.scope = scope;
    this.head = head;
    this.kept = KeptFiles.of(home, head, source, executor);
    this.watch = watch;
    this.executor = executor;
    this.fileBytes = fileBytes;
    this.readBack = new OrderedPipeline<>(executor, FILES_READ_BACK, Long.MAX_VALUE);
  }

  /** Returns the files, or empty if it was cancelled. */
  Optional<List<BackupFile>> write() {
    note();
    FailPoint.pass("backup.begun");
    boolean complete = blocks() && (!scope.stateIncluded() || whole()) && records();
    while (!readBack.isEmpty()) {
      nameNext();
    }
    return complete ? Optional.of(List.copyOf(files)) : Optional.empty();
  }

  /** Returns the size of the files that an earlier call had written. */
  long keptBytes() {
    return kept.bytes();
  }

  private StorageEngine.Snapshot chain() {
    return source.stored(Database.BLOCK);
  }

  // ------------------------------------------------------------------------------------ blocks

  private boolean blocks() {
    watch.begin("blocks", scope.blockCount());
    for (HeightRange heights : scope.blocks()) {
      HeightRange rest = heights;
      for (Optional<HeightRange> had = keptBlocks(rest); had.isPresent(); had = keptBlocks(rest)) {
        rest = new HeightRange(had.get().last() + 1, heights.last());
      }
      try (BlockRows rows = new BlockRows(chain(), rest, source.position().pivot())) {
        while (rows.hasHeight()) {
          if (!writeBlocks(rows, rest.last())) {
            return false;
          }
        }
      }
    }
    return !step();
  }

  /** Returns the heights of a file that is there already, with that of their index. */
  private Optional<HeightRange> keptBlocks(HeightRange wanted) {
    if (wanted.count() == 0) {
      return Optional.empty();
    }
    Optional<BackupFile> blocks =
        kept.take(Content.BLOCKS, nextNumber(Content.BLOCKS), wanted).map(KeptFiles.Taken::file);
    if (blocks.isEmpty() || scope.stateIncluded()) {
      blocks.ifPresent(this::addKept);
      return blocks.map(BackupFile::heights);
    }
    HeightRange heights = blocks.get().heights();
    Optional<BackupFile> index =
        kept.take(Content.INDEX, nextNumber(Content.INDEX), heights).map(KeptFiles.Taken::file);
    if (index.isEmpty() || !index.get().heights().equals(heights)) {
      return Optional.empty();
    }
    addKept(blocks.get());
    addKept(index.get());
    return Optional.of(heights);
  }

  private void addKept(BackupFile file) {
    files.add(file);
    named.add(file);
  }

  /** Writes a file of blocks, and one of their index entries where the indexes do not go whole. */
  private boolean writeBlocks(BlockRows rows, long last) {
    long first = rows.height();
    RowFileWriter blocks = create(Content.BLOCKS);
    @Nullable RowFileWriter index = scope.stateIncluded() ? null : create(Content.INDEX);
    long bytes = 0;
    while (rows.hasHeight() && bytes < fileBytes) {
      long before = bytes;
      bytes = putBlock(rows, blocks, index);
      rows.nextHeight();
      if (stepped(1, bytes - before)) {
        return false;
      }
    }
    HeightRange heights = new HeightRange(first, Math.min(last, rows.height() - 1));
    end(Content.BLOCKS, heights, blocks);
    if (index != null) {
      end(Content.INDEX, heights, index);
    }
    return true;
  }

  /** A file that is durable, and was read back. */
  private record Ended(BackupFile file, RowFileWriter rows) {}

  /** Ends a file, and names those that were read back meanwhile. */
  private void end(Content content, HeightRange heights, RowFileWriter rows) {
    BackupFile file = new BackupFile(content, nextNumber(content), heights, rows.end());
    files.add(file);
    readBack.submit(
        0,
        () -> {
          rows.sync();
          BackupFiles.requireAsWritten(home, file, executor);
          return new Ended(file, rows);
        });
    while (readBack.isFull()) {
      nameNext();
    }
  }

  private void nameNext() {
    Ended next = readBack.takeUninterruptibly();
    BackupFiles.name(home, next.file());
    open.remove(next.rows());
    named.add(next.file());
    note();
  }

  private long putBlock(BlockRows rows, RowFileWriter blocks, @Nullable RowFileWriter index) {
    MetaRow meta = nextMeta(rows.height());
    long bytes = 0;
    int bodyRows = 0;
    while (rows.nextOfHeight()) {
      Bytes key = rows.key();
      Bytes value = rows.value();
      bytes = blocks.put(key, value);
      bodyRows += ChainTables.isOfBody(key) ? 1 : 0;
      if (index != null) {
        ChainTables.indexKey(key, () -> source.open().apply(key, value))
            .ifPresent(entry -> index.put(entry, indexEntry(entry, meta)));
      }
    }
    requireWhole(meta, bodyRows);
    return bytes;
  }

  /** Reads metas some at a time, as heights follow one another. */
  private MetaRow nextMeta(long height) {
    if (metas.isEmpty() || metas.element().meta().height() != height) {
      metas.clear();
      long last = Math.min(source.position().height(), height + METAS_AT_A_TIME - 1);
      metas.addAll(source.blocks().metas(height, last));
    }
    return metas.remove();
  }

  private Bytes indexEntry(Bytes entry, MetaRow meta) {
    return chain()
        .get(entry)
        .orElseThrow(
            () ->
                new IntegrityException(
                    "an index of the ledger does not lead to block %s, or to a transaction of it; put it right (ledgerkeep rebuild-dbs), then back up"
                        .formatted(meta.meta().height())));
  }

  /** A backup without a body that it should have would be told only by its restore. */
  private void requireWhole(MetaRow meta, int bodyRows) {
    boolean isArchived =
        meta.meta().kind() == Block.Kind.NORMAL
            && meta.meta().height() <= source.position().pivot();
    int expected =
        isArchived ? 0 : 2 * meta.meta().transactionCount() + (meta.additionalBytes() > 0 ? 1 : 0);
    if (bodyRows != expected) {
      throw new IntegrityException(
          "block %s is not whole on the node: it has %s rows of its body instead of %s; run ledgerkeep verify, mend the ledger, then back up"
              .formatted(meta.meta().height(), bodyRows, expected));
    }
  }

  // ------------------------------------------------------------------------------------ the rest

  private boolean whole() {
    return whole(Content.INDEX, chain(), ChainTables.indexes())
        && whole(Content.STATE, source.stored(Database.STATE), List.of(KeyRange.all()))
        && whole(Content.HISTORY, source.stored(Database.HISTORY), List.of(KeyRange.all()));
  }

  private boolean records() {
    return writeRows(Content.RECORDS, chain(), List.of(ChainTables.records()));
  }

  private boolean whole(Content content, StorageEngine.Reader stored, List<KeyRange> ranges) {
    List<KeyRange> rest = ranges;
    for (Optional<KeptFiles.Taken> had = kept(content); had.isPresent(); had = kept(content)) {
      addKept(had.get().file());
      rest = after(had.get().lastKey(), ranges);
    }
    return writeRows(content, stored, rest);
  }

  private Optional<KeptFiles.Taken> kept(Content content) {
    return kept.take(content, nextNumber(content), HeightRange.NONE);
  }

  private static List<KeyRange> after(Bytes lastKey, List<KeyRange> ranges) {
    byte[] next = new byte[lastKey.size() + 1];
    lastKey.copyTo(next, 0);
    Bytes from = Bytes.wrap(next);
    return ranges.stream()
        .filter(range -> range.until().isEmpty() || range.until().get().compareTo(from) > 0)
        .map(range -> range.from().compareTo(from) > 0 ? range : new KeyRange(from, range.until()))
        .toList();
  }

  private boolean writeRows(Content content, StorageEngine.Reader stored, List<KeyRange> ranges) {
    watch.begin(content.lowerCaseName(), 0);
    for (KeyRange range : ranges) {
      try (StorageEngine.Cursor cursor = stored.scan(range)) {
        for (boolean more = cursor.next(); more; ) {
          Optional<Boolean> written = writeFile(content, cursor);
          if (written.isEmpty()) {
            return false;
          }
          more = written.get();
        }
      }
    }
    return !step();
  }

  /** Returns whether there are rows left, or empty if it was cancelled. */
  private Optional<Boolean> writeFile(Content content, StorageEngine.Cursor cursor) {
    boolean more = true;
    RowFileWriter rows = create(content);
    long bytes = 0;
    while (more && bytes < fileBytes) {
      long before = bytes;
      Bytes key = cursor.key();
      if (ChainTables.isWorthCopying(key)) {
        bytes = rows.put(key, cursor.value());
      }
      more = cursor.next();
      if (stepped(0, bytes - before)) {
        return Optional.empty();
      }
    }
    end(content, HeightRange.NONE, rows);
    return Optional.of(more);
  }

  // ------------------------------------------------------------------------------------ common

  private RowFileWriter create(Content content) {
    RowFileWriter created =
        RowFileWriter.create(
            BackupFiles.part(home, BackupFile.name(content, nextNumber(content))), executor);
    open.add(created);
    return created;
  }

  private int nextNumber(Content content) {
    return 1 + (int) files.stream().filter(file -> file.content() == content).count();
  }

  /** Notes what there is, so that it is not written again. */
  private void note() {
    List<BackupFile> all =
        Stream.concat(files.stream().filter(named::contains), kept.left().stream()).toList();
    BackupManifest.of(head, all, (key, value) -> Optional.empty())
        .write(home.resolve(BackupManifest.BEGUN));
    FailPoint.pass("backup.noted");
  }

  /** Returns whether to end. */
  private boolean stepped(long blocks, long bytes) {
    stepBlocks += blocks;
    stepBytes += bytes;
    return stepBytes >= STEP_BYTES && step();
  }

  private boolean step() {
    watch.advance(stepBlocks, stepBytes);
    stepBlocks = 0;
    stepBytes = 0;
    return watch.isCancelled();
  }

  /** Closes what is not written to its end, which is removed. */
  @Override
  public void close() {
    readBack.close();
    open.forEach(RowFileWriter::close);
  }
}
