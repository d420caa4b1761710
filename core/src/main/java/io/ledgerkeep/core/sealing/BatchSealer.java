package io.ledgerkeep.core.sealing;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.parallel.OrderedPipeline;
import io.ledgerkeep.core.rows.AheadEngine;
import io.ledgerkeep.core.rows.AheadEngine.Ahead;
import io.ledgerkeep.encryption.Encryptor;
import io.ledgerkeep.storage.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.BinaryOperator;

/**
 * Seals the values of batches for one engine: ahead of their write where it is asked to, and what
 * is left of a large batch on all cores. Serves any number of threads.
 */
final class BatchSealer {

  /** Less is sealed sooner than it is handed to another thread. */
  private static final int TASK_BYTES = 64 << 10;

  private final Encryptor encryptor;
  private final BinaryOperator<Bytes> seal;
  private final Executor executor;

  /**
   * Seals with an encryptor.
   *
   * @param seal seals the value of a key, given in this order
   */
  BatchSealer(Encryptor encryptor, BinaryOperator<Bytes> seal, Executor executor) {
    this.encryptor = encryptor;
    this.seal = seal;
    this.executor = executor;
  }

  /**
   * A value as it lies in the engine: no other is put into a batch for it. Only {@link #seal(Bytes,
   * Bytes)} makes one.
   */
  private record SealedValue(Bytes bytes) {}

  private SealedValue seal(Bytes key, Bytes value) {
    return new SealedValue(seal.apply(key, value));
  }

  /** A value that was sealed ahead of its write, for this sealer, key and value alone. */
  private record SealedAhead(BatchSealer sealer, Bytes key, Bytes value, SealedValue result)
      implements Ahead {}

  /** An encryptor that is not our own may change its key without a word, so nothing is kept. */
  Optional<Ahead> ahead(Bytes key, Bytes value) {
    return encryptor instanceof EpochEncryptor
        ? Optional.of(new SealedAhead(this, key, value, seal(key, value)))
        : Optional.empty();
  }

  /**
   * Returns the batch with its values sealed.
   *
   * @param ahead what was sealed ahead, as {@link AheadEngine#write} has it
   */
  WriteBatch seal(WriteBatch batch, List<Optional<Ahead>> ahead) {
    Mutations mutations = new Mutations(ahead);
    batch.forEach(mutations);
    WriteBatch result = new WriteBatch();
    if (mutations.plainBytes <= TASK_BYTES) {
      mutations.all.forEach(mutation -> finished(mutation).addTo(result));
      return result;
    }
    try (OrderedPipeline<List<Finished>> pipeline = new OrderedPipeline<>(executor)) {
      for (List<Mutation> task : mutations.tasks()) {
        if (pipeline.isFull()) {
          pipeline.takeUninterruptibly().forEach(finished -> finished.addTo(result));
        }
        pipeline.submit(plainBytes(task), () -> task.stream().map(this::finished).toList());
      }
      while (!pipeline.isEmpty()) {
        pipeline.takeUninterruptibly().forEach(finished -> finished.addTo(result));
      }
    }
    return result;
  }

  private Finished finished(Mutation mutation) {
    return mutation instanceof Plain plain
        ? new Finished(plain.key, Optional.of(seal(plain.key, plain.value)))
        : (Finished) mutation;
  }

  private static long plainBytes(List<Mutation> mutations) {
    return mutations.stream().mapToLong(Mutation::plainBytes).sum();
  }

  /** A mutation on its way into the engine. */
  private sealed interface Mutation permits Plain, Finished {

    /** Returns how much there is to seal. */
    int plainBytes();
  }

  private record Plain(Bytes key, Bytes value) implements Mutation {
    @Override
    public int plainBytes() {
      return value.size();
    }
  }

  /** What the engine gets: a deletion where there is no value. */
  private record Finished(Bytes key, Optional<SealedValue> value) implements Mutation {
    @Override
    public int plainBytes() {
      return 0;
    }

    void addTo(WriteBatch batch) {
      if (value.isPresent()) {
        batch.put(key, value.get().bytes());
      } else {
        batch.delete(key);
      }
    }
  }

  /** The mutations of a batch, those finished that were sealed ahead. */
  private final class Mutations implements WriteBatch.Visitor {

    private final List<Optional<Ahead>> ahead;
    private final List<Mutation> all = new ArrayList<>();
    private long plainBytes;

    Mutations(List<Optional<Ahead>> ahead) {
      this.ahead = ahead;
    }

    @Override
    public void put(Bytes key, Bytes value) {
      Optional<Ahead> mine = all.size() < ahead.size() ? ahead.get(all.size()) : Optional.empty();
      Optional<SealedValue> sealedValue = mine.flatMap(done -> stillGood(done, key, value));
      add(sealedValue.isPresent() ? new Finished(key, sealedValue) : new Plain(key, value));
    }

    @Override
    public void delete(Bytes key) {
      add(new Finished(key, Optional.empty()));
    }

    private void add(Mutation mutation) {
      all.add(mutation);
      plainBytes += mutation.plainBytes();
    }

    /** Returns the mutations in parts that are worth a task each. */
    List<List<Mutation>> tasks() {
      List<List<Mutation>> tasks = new ArrayList<>();
      int first = 0;
      long bytes = 0;
      for (int i = 0; i < all.size(); i++) {
        bytes += all.get(i).plainBytes();
        if (bytes >= TASK_BYTES || i == all.size() - 1) {
          tasks.add(all.subList(first, i + 1));
          first = i + 1;
          bytes = 0;
        }
      }
      return tasks;
    }
  }

  /**
   * Returns what was sealed ahead, if it may still be written. The active key may have been rotated
   * or disabled since: then the value is sealed again, from plain.
   */
  private Optional<SealedValue> stillGood(Ahead ahead, Bytes key, Bytes value) {
    return ahead instanceof SealedAhead mine
            && mine.sealer.equals(this)
            && mine.key.equals(key)
            && mine.value.equals(value)
            && encryptor instanceof EpochEncryptor epochs
            && epochs.isOfThisEpoch(mine.result.bytes())
        ? Optional.of(mine.result)
        : Optional.empty();
  }
}
