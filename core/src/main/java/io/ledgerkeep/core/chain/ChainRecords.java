package io.ledgerkeep.core.chain;

import com.google.common.collect.Range;
import com.google.common.collect.RangeSet;
import com.google.common.collect.TreeRangeSet;
import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.StorageEngine;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The records of a block database one by one, and which heights have rows: for who cannot open the
 * chain, as a part of it is damaged. Nothing is changed.
 */
public final class ChainRecords {

  private final StorageEngine engine;

  /** Reads a block database. */
  public ChainRecords(StorageEngine engine) {
    this.engine = engine;
  }

  /** Returns the last height, if it is recorded. */
  public OptionalLong last() {
    return number(ChainKeys.LAST);
  }

  /** Returns up to where state and history are known to be durable, if it is recorded. */
  public OptionalLong derivedThrough() {
    return number(ChainKeys.DERIVED);
  }

  private OptionalLong number(Bytes key) {
    return ChainStore.number(engine, key).map(OptionalLong::of).orElse(OptionalLong.empty());
  }

  /** Returns the pivot with its manifest entry. */
  public ArchiveMark mark() {
    return engine.get(ChainKeys.PIVOT).map(ArchiveMark::decode).orElse(ArchiveMark.NONE);
  }

  /** Returns what a job has begun and not finished. */
  public Optional<JobRecord> job() {
    return engine.get(ChainKeys.JOB).map(JobRecord::decode);
  }

  /** Returns the roll back that is committed and not finished. */
  public Optional<RollBackRecord> rollBack() {
    return engine.get(ChainKeys.ROLL_BACK).map(RollBackRecord::decode);
  }

  /** Returns the heights that have a meta. Needs no key: heights are in plain. */
  public RangeSet<Long> metas() {
    RangeSet<Long> heights = TreeRangeSet.create();
    try (StorageEngine.Cursor cursor = engine.scan(ChainKeys.metasFrom(0))) {
      while (cursor.next()) {
        ChainKeys.heightOf(cursor.key())
            .ifPresent(height -> heights.add(Range.closedOpen(height, height + 1)));
      }
    }
    return heights;
  }

  /** Returns whether there are rows above the height, which nobody sees. */
  public boolean hasRowsAbove(long height) {
    return isAny(ChainKeys.metasFrom(height + 1))
        || isAny(ChainKeys.bodiesFrom(Block.Kind.NORMAL, height + 1))
        || isAny(ChainKeys.bodiesFrom(Block.Kind.CONFIG, height + 1));
  }

  /** Returns whether there are bodies of normal blocks up to the pivot, which nobody sees. */
  public boolean hasBodiesUpTo(long pivot) {
    return pivot > 0 && isAny(ChainKeys.bodies(1, pivot));
  }

  private boolean isAny(KeyRange range) {
    try (StorageEngine.Cursor cursor = engine.scan(range)) {
      return cursor.next();
    }
  }
}
