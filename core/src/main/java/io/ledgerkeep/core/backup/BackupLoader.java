package io.ledgerkeep.core.backup;

import com.google.common.hash.Hashing;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.backup.BackupFile.Content;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.core.chain.ChainTables;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntConsumer;

/**
 * Puts the rows of a backup, and of those that it follows, on engines, as they lay on those of the
 * ledger. What comes later holds. For one thread.
 */
public final class BackupLoader {

  private static final long BATCH_BYTES = 4 << 20;
  private static final int BATCH_ROWS = 8192;

  private final BackupSet set;
  private final List<BackupManifest> chain;

  /** The newest that has state, history and indexes whole. */
  private final BackupHead base;

  /** Up to there no body is of use: it is the archive's, and state is past it. */
  private final long uselessBodies;

  private final List<Step> steps = new ArrayList<>();

  /** A file with the backup that it is of. */
  private record Step(Path home, BackupFile file) {
    Path path() {
      return home.resolve(file.name());
    }
  }

  /** Restores from a chain of backups, the full one first. */
  public BackupLoader(BackupSet set, List<BackupManifest> chain) {
    this.set = set;
    this.chain = chain;
    this.base =
        chain.stream()
            .map(BackupManifest::head)
            .filter(BackupHead::stateIncluded)
            .reduce((first, second) -> second)
            .orElseThrow(() -> new IntegrityException("the first backup has no state"));
    this.uselessBodies = Math.min(newest().position().pivot(), base.position().height());
    chain.forEach(this::addSteps);
  }

  private void addSteps(BackupManifest manifest) {
    boolean isNewest = manifest.head().equals(newest());
    boolean isBase = manifest.head().equals(base);
    boolean isAfterBase = manifest.head().number() > base.number();
    for (BackupFile file : manifest.files()) {
      boolean isNeeded =
          switch (file.content()) {
            case BLOCKS -> true;
            case INDEX -> isBase || isAfterBase;
            case STATE, HISTORY -> isBase;
            case RECORDS -> isNewest;
            case KEYS -> false;
          };
      if (isNeeded) {
        steps.add(new Step(set.home(manifest.head().number()), file));
      }
    }
  }

  private BackupHead newest() {
    return chain.get(chain.size() - 1).head();
  }

  /** Returns the height of the state and the history that are put back. */
  public long derivedHeight() {
    return base.position().height();
  }

  /** Returns the size of the files that are read. */
  public long bytes() {
    return steps.stream().mapToLong(step -> step.file().totals().bytes()).sum();
  }

  /** Returns what the rows take that are put back. */
  public long rawBytes() {
    return steps.stream().mapToLong(step -> step.file().totals().rawBytes()).sum();
  }

  /**
   * Requires that all files are there, with their sizes.
   *
   * @throws IntegrityException with the first that is not
   */
  public void requireThere() {
    steps.forEach(step -> BackupFiles.requireThere(step.home(), step.file()));
    set.registry(chain.get(chain.size() - 1));
  }

  /**
   * Requires that all files are those that the manifests name, byte for byte; also those that would
   * not be read.
   *
   * @return false if it was cancelled
   */
  public boolean requireWhole(JobWatch watch) {
    watch.begin("verify", 0);
    for (BackupManifest manifest : chain) {
      for (BackupFile file : manifest.files()) {
        if (watch.isCancelled()) {
          return false;
        }
        BackupFiles.requireWhole(set.home(manifest.head().number()), file);
        watch.advance(0, file.totals().bytes());
      }
    }
    return true;
  }

  // ------------------------------------------------------------------------------------ load

  /**
   * Puts the rows on the engines.
   *
   * @param done how many files an earlier call has put there
   * @param loaded is told how many are durably there by now
   * @return false if it was cancelled
   */
  public boolean load(
      Map<Database, StorageEngine> engines, int done, JobWatch watch, IntConsumer loaded) {
    watch.begin("load", 0);
    for (int next = done; next < steps.size(); next++) {
      if (watch.isCancelled()) {
        return false;
      }
      Step step = steps.get(next);
      BackupFiles.requireWhole(step.home(), step.file());
      StorageEngine engine = engine(engines, step.file().content());
      load(step, engine, watch);
      engine.flush();
      FailPoint.pass("restored.flushed");
      loaded.accept(next + 1);
      FailPoint.pass("restored.loaded");
    }
    return true;
  }

  private static StorageEngine engine(Map<Database, StorageEngine> engines, Content content) {
    Database database =
        switch (content) {
          case STATE -> Database.STATE;
          case HISTORY -> Database.HISTORY;
          default -> Database.BLOCK;
        };
    return Objects.requireNonNull(engines.get(database));
  }

  private void load(Step step, StorageEngine engine, JobWatch watch) {
    StorageEngine.Limits limits = engine.limits();
    long mostBytes = Math.min(BATCH_BYTES, limits.maxBatchBytes());
    int mostRows = Math.min(BATCH_ROWS, limits.maxBatchCount());
    WriteBatch batch = new WriteBatch();
    try (RowFileReader rows = RowFileReader.open(step.path())) {
      while (rows.next()) {
        Bytes key = rows.key();
        Bytes value = rows.value();
        if (isUseless(key, step.file().content())) {
          continue;
        }
        requireFits(value, limits, step);
        if (batch.size() >= mostRows
            || (!batch.isEmpty() && batch.bytes() + key.size() + value.size() > mostBytes)) {
          write(batch, engine, watch);
          batch = new WriteBatch();
        }
        batch.put(key, value);
      }
      requireTotals(rows.totals(), step);
    }
    write(batch, engine, watch);
  }

  private static void write(WriteBatch batch, StorageEngine engine, JobWatch watch) {
    if (!batch.isEmpty()) {
      engine.write(batch, Durability.BUFFERED);
      watch.advance(0, batch.bytes());
    }
  }

  private boolean isUseless(Bytes key, Content content) {
    return content == Content.BLOCKS
        && ChainTables.isNormalBody(key)
        && ChainKeys.heightOf(key).orElseThrow() <= uselessBodies;
  }

  private static void requireFits(Bytes value, StorageEngine.Limits limits, Step step) {
    if (value.size() > limits.maxValueBytes()) {
      throw new ConfigurationException(
          "%s has a value of %s bytes, and the engine chosen takes %s at most; restore on the engine that the ledger was on"
              .formatted(step.path(), value.size(), limits.maxValueBytes()));
    }
  }

  private static void requireTotals(RowTotals found, Step step) {
    if (!found.equals(step.file().totals())) {
      throw new IntegrityException(
          step.path() + " is not the file that the manifest names; put it back from a copy");
    }
  }

  // ------------------------------------------------------------------------------------ compare

  /**
   * Compares what lies on the engines with what was put there: state, history and indexes row by
   * row. Blocks are proven by their digests when the ledger is verified.
   *
   * @return false if it was cancelled
   * @throws IntegrityException with the first difference
   */
  public boolean compare(Map<Database, StorageEngine> engines, JobWatch watch) {
    watch.begin("compare", 0);
    boolean isNewestBase = base.equals(newest());
    return compare(Content.STATE, List.of(KeyRange.all()), true, engines, watch)
        && compare(Content.HISTORY, List.of(KeyRange.all()), true, engines, watch)
        && compare(Content.INDEX, ChainTables.indexes(), isNewestBase, engines, watch);
  }

  /** Compares with the files of the base; later ones may have added rows unless it is exact. */
  private boolean compare(
      Content content,
      List<KeyRange> ranges,
      boolean exact,
      Map<Database, StorageEngine> engines,
      JobWatch watch) {
    StorageEngine engine = engine(engines, content);
    try (EngineRows found = new EngineRows(engine, ranges)) {
      for (Step step : steps) {
        if (step.file().content() != content || !step.home().equals(set.home(base.number()))) {
          continue;
        }
        if (watch.isCancelled()) {
          return false;
        }
        compare(step, found, exact);
        watch.advance(0, step.file().totals().rawBytes());
      }
      if (exact && found.next()) {
        throw different(content, found.key());
      }
    }
    return true;
  }

  private static void compare(Step step, EngineRows found, boolean exact) {
    Content content = step.file().content();
    try (RowFileReader rows = RowFileReader.open(step.path())) {
      while (rows.next()) {
        boolean there = found.next();
        while (there && !exact && found.key().compareTo(rows.key()) < 0) {
          there = found.next();
        }
        if (!there || !found.key().equals(rows.key()) || !found.value().equals(rows.value())) {
          throw different(content, rows.key());
        }
      }
    }
  }

  /** Names the key by its digest: it may be a secret of who uses the chain. */
  private static IntegrityException different(Content content, Bytes key) {
    return new IntegrityException(
        "what was put back is not what the backup has, from the row of %s on whose key has the SHA-256 digest %s"
            .formatted(content.lowerCaseName(), Hashing.sha256().hashBytes(key.toArrayUnsafe())));
  }

  /** The rows of ranges of an engine, one range after the other. */
  private static final class EngineRows implements AutoCloseable {

    private final List<StorageEngine.Cursor> cursors = new ArrayList<>();
    private int at;

    EngineRows(StorageEngine engine, List<KeyRange> ranges) {
      try {
        ranges.forEach(range -> cursors.add(engine.scan(range)));
      } catch (RuntimeException | Error e) {
        close();
        throw e;
      }
    }

    boolean next() {
      while (at < cursors.size()) {
        if (cursors.get(at).next()) {
          return true;
        }
        at++;
      }
      return false;
    }

    Bytes key() {
      return cursors.get(at).key();
    }

    Bytes value() {
      return cursors.get(at).value();
    }

    @Override
    public void close() {
      cursors.forEach(StorageEngine.Cursor::close);
    }
  }
}
