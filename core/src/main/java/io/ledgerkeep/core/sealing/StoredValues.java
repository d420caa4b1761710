package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.failpoint.FailPoint;
import io.ledgerkeep.core.jobs.JobWatch;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.core.sealing.SealedEngine.Replacement;
import io.ledgerkeep.encryption.LedgerKeys.Usage;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Cursor;
import io.ledgerkeep.storage.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The values of a database as they lie there, each under the data key it was sealed with: counts
 * them, and seals anew those under other keys than the active one. For one thread at a time, while
 * others read and write.
 */
public final class StoredValues {

  /** Where an interrupted re-encryption goes on: the data key it is for, and the next key. */
  private static final Bytes PROGRESS = Bytes.ofUtf8("\u0001reencrypt");

  private static final KeyRange ALL = KeyRange.all();

  /** So much is sealed anew before commits wait for it to be written. */
  private static final int CHUNK_BYTES = 1 << 20;

  private static final int CHUNK_ROWS = 1024;

  /** So much is read before progress is told, where nothing is to do. */
  private static final int LOOK_BYTES = 16 << 20;

  private static final int TASK_BYTES = 64 << 10;

  private final SealedEngine engine;
  private final EpochEncryptor encryptor;
  private final JobWatch watch;

  /** Looks at the values of a database that the encryptor seals. */
  public StoredValues(SealedEngine engine, EpochEncryptor encryptor, JobWatch watch) {
    this.engine = engine;
    this.encryptor = encryptor;
    this.watch = watch;
  }

  /** Adds what lies under each data key. Returns whether it came to the end. */
  public boolean count(Map<Integer, Usage> usage) {
    engine.awaitWrites();
    long values = 0;
    long bytes = 0;
    try (Cursor cursor = engine.below().scan(ALL)) {
      while (cursor.next()) {
        Bytes stored = cursor.value();
        int dataKey = encryptor.dataKeyOf(engine.context(cursor.key()), stored);
        usage.merge(dataKey, new Usage(dataKey, 1, stored.size()), StoredValues::sum);
        values++;
        bytes += stored.size();
        if (bytes >= LOOK_BYTES) {
          watch.advance(values, bytes);
          values = 0;
          bytes = 0;
          if (watch.isCancelled()) {
            return false;
          }
        }
      }
    }
    watch.advance(values, bytes);
    return !watch.isCancelled();
  }

  private static Usage sum(Usage left, Usage right) {
    return new Usage(left.dataKey(), left.values() + right.values(), left.bytes() + right.bytes());
  }

  /**
   * What a re-encryption did.
   *
   * @param values how many were sealed anew
   * @param bytes what they took before
   * @param complete whether it came to the end
   */
  public record Done(long values, long bytes, boolean complete) {

    /** Returns what both did together. */
    public Done plus(Done next) {
      return new Done(values + next.values, bytes + next.bytes, complete && next.complete);
    }
  }

  /** Seals anew what is under other keys than the one that is active at the beginning. */
  public Done reencrypt() {
    long values = 0;
    long bytes = 0;
    int target = encryptor.activeDataKey();
    engine.awaitWrites();
    Optional<Bytes> next = Optional.of(begin(target));
    while (next.isPresent()) {
      if (watch.isCancelled()) {
        return new Done(values, bytes, false);
      }
      Chunk chunk = read(next.get(), target);
      replace(chunk, target);
      watch.advance(chunk.rows().size(), chunk.bytesRead());
      values += chunk.rows().size();
      bytes += chunk.bytes();
      next = chunk.next();
    }
    end(values);
    return new Done(values, bytes, true);
  }

  private Bytes begin(int target) {
    return engine
        .get(PROGRESS)
        .map(row -> new ByteReader(row, "the progress of re-encryption"))
        .filter(in -> in.number() == target)
        .map(ByteReader::rest)
        .orElse(ALL.from());
  }

  /** What was replaced goes from the disk, as far as the engine has it in its hands. */
  private void end(long values) {
    FailPoint.pass("reseal.all");
    engine.flush();
    if (values == 0 && engine.below().get(PROGRESS).isEmpty()) {
      return;
    }
    engine.compact(ALL);
    FailPoint.pass("reseal.compacted");
    WriteBatch batch = new WriteBatch();
    batch.delete(PROGRESS);
    engine.write(batch, StorageEngine.Durability.DURABLE);
  }

  /**
   * A part of what is to be done.
   *
   * @param bytes what the rows take
   * @param bytesRead what was read to find them
   * @param next where to go on, or empty at the end
   */
  private record Chunk(List<Row> rows, long bytes, long bytesRead, Optional<Bytes> next) {}

  /** A value as it lies there. */
  private record Row(Bytes key, Bytes stored) {}

  private Chunk read(Bytes from, int target) {
    List<Row> rows = new ArrayList<>();
    long bytes = 0;
    long bytesRead = 0;
    try (Cursor cursor = engine.below().scan(KeyRange.atLeast(from))) {
      while (cursor.next()) {
        Bytes key = cursor.key();
        if (isFull(rows.size(), bytes) || bytesRead >= LOOK_BYTES) {
          return new Chunk(rows, bytes, bytesRead, Optional.of(key));
        }
        Bytes stored = cursor.value();
        bytesRead += stored.size();
        if (!key.equals(PROGRESS) && encryptor.dataKeyOf(engine.context(key), stored) != target) {
          rows.add(new Row(key, stored));
          bytes += key.size() + stored.size();
        }
      }
    }
    return new Chunk(rows, bytes, bytesRead, Optional.empty());
  }

  /** One value always fits. */
  private boolean isFull(int rows, long bytes) {
    StorageEngine.Limits limits = engine.limits();
    return rows >= Math.min(CHUNK_ROWS, limits.maxBatchCount() / 2)
        || bytes >= Math.min(CHUNK_BYTES, (limits.maxBatchBytes() - limits.maxValueBytes()) / 2);
  }

  private void replace(Chunk chunk, int target) {
    if (chunk.rows().isEmpty()) {
      return;
    }
    List<Replacement> replacements = sealAnew(chunk.rows());
    FailPoint.pass("reseal.read");
    engine.replace(replacements, progress(chunk, target));
    FailPoint.pass("reseal.written");
  }

  /** How far it came is told where there is room for it: without, a later run looks again. */
  private WriteBatch progress(Chunk chunk, int target) {
    WriteBatch batch = new WriteBatch();
    chunk
        .next()
        .filter(next -> chunk.bytes() + next.size() + 128 < engine.limits().maxBatchBytes())
        .map(next -> new ByteWriter(next.size() + 8).varint(target).raw(next).take())
        .ifPresent(row -> batch.put(PROGRESS, engine.seal(PROGRESS, row)));
    return batch;
  }

  private List<Replacement> sealAnew(List<Row> rows) {
    List<Replacement> result = new ArrayList<>(rows.size());
    try (OrderedPipeline<List<Replacement>> pipeline = new OrderedPipeline<>(engine.executor())) {
      for (List<Row> task : tasks(rows)) {
        if (pipeline.isFull()) {
          result.addAll(pipeline.takeUninterruptibly());
        }
        pipeline.submit(TASK_BYTES, () -> task.stream().map(this::sealAnew).toList());
      }
      while (!pipeline.isEmpty()) {
        result.addAll(pipeline.takeUninterruptibly());
      }
    }
    return result;
  }

  private Replacement sealAnew(Row row) {
    Bytes value = engine.open(row.key(), row.stored());
    return new Replacement(row.key(), row.stored(), engine.seal(row.key(), value));
  }

  private static List<List<Row>> tasks(List<Row> rows) {
    List<List<Row>> tasks = new ArrayList<>();
    int first = 0;
    long bytes = 0;
    for (int i = 0; i < rows.size(); i++) {
      bytes += rows.get(i).stored().size();
      if (bytes >= TASK_BYTES || i == rows.size() - 1) {
        tasks.add(rows.subList(first, i + 1));
        first = i + 1;
        bytes = 0;
      }
    }
    return tasks;
  }
}
