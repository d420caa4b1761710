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
   * A value that was sealed ahead of its write, for this sealer, key and value alone.
   *
   * @param epoch in which it was sealed
   */
  private record SealedAhead(BatchSealer sealer, Bytes key, Bytes value, Bytes result, int epoch)
      implements Ahead {

    boolean isOf(BatchSealer ofSealer, Bytes ofKey, Bytes ofValue) {
      return sealer.equals(ofSealer) && key.equals(ofKey) && value.equals(ofValue);
    }
  }

  /** An encryptor that is not our own may change its key without a word, so nothing is kept. */
  Optional<Ahead> ahead(Bytes key, Bytes value) {
    if (!(encryptor instanceof EpochEncryptor)) {
      return Optional.empty();
    }
    Bytes result = seal.apply(key, value);
    return Optional.of(
        new SealedAhead(this, key, value, result, EpochEncryptor.epochNumberOf(result)));
  }

  /**
   * Returns the batch with its values sealed.
   *
   * @param ahead what was sealed ahead, as {@link AheadEngine#write} has it
   */
  WriteBatch seal(WriteBatch batch, List<Optional<Ahead>> ahead) {
    Values values = new Values(batch.size(), ahead);
    batch.forEach(values);
    sealPlain(values);
    Result result = new Result(values.inOrder);
    batch.forEach(result);
    return result.batch;
  }

  private void sealPlain(Values values) {
    if (values.plainBytes <= TASK_BYTES) {
      seal(values.plain, values.inOrder);
      return;
    }
    try (OrderedPipeline<List<Plain>> pipeline = new OrderedPipeline<>(executor)) {
      for (List<Plain> task : tasks(values.plain)) {
        if (pipeline.isFull()) {
          pipeline.takeUninterruptibly();
        }
        pipeline.submit(bytes(task), () -> seal(task, values.inOrder));
      }
      while (!pipeline.isEmpty()) {
        pipeline.takeUninterruptibly();
      }
    }
  }

  private List<Plain> seal(List<Plain> plain, Bytes[] inOrder) {
    plain.forEach(mutation -> inOrder[mutation.place] = seal.apply(mutation.key, mutation.value));
    return plain;
  }

  /** Returns the values in parts that are worth a task each. */
  private static List<List<Plain>> tasks(List<Plain> plain) {
    List<List<Plain>> tasks = new ArrayList<>();
    int first = 0;
    long bytes = 0;
    for (int i = 0; i < plain.size(); i++) {
      bytes += plain.get(i).value.size();
      if (bytes >= TASK_BYTES || i == plain.size() - 1) {
        tasks.add(plain.subList(first, i + 1));
        first = i + 1;
        bytes = 0;
      }
    }
    return tasks;
  }

  private static long bytes(List<Plain> plain) {
    return plain.stream().mapToLong(mutation -> mutation.value.size()).sum();
  }

  /**
   * A value that is still to be sealed.
   *
   * @param place the number of its mutation in the batch
   */
  private record Plain(int place, Bytes key, Bytes value) {}

  /** Collects the sealed values of a batch, and those that are not sealed yet. */
  private final class Values implements WriteBatch.Visitor {

    /** By the number of the mutation. */
    private final Bytes[] inOrder;

    private final List<Plain> plain = new ArrayList<>();
    private final List<Optional<Ahead>> ahead;
    private int place;
    private long plainBytes;

    Values(int mutations, List<Optional<Ahead>> ahead) {
      this.inOrder = new Bytes[mutations];
      this.ahead = ahead;
    }

    @Override
    public void put(Bytes key, Bytes value) {
      Optional<Ahead> mine = place < ahead.size() ? ahead.get(place) : Optional.empty();
      if (mine.isPresent() && isStillGood(mine.get(), key, value)) {
        inOrder[place] = ((SealedAhead) mine.get()).result;
      } else {
        plain.add(new Plain(place, key, value));
        plainBytes += value.size();
      }
      place++;
    }

    @Override
    public void delete(Bytes key) {
      place++;
    }
  }

  /** Puts sealed values in the place of the plain ones. */
  private static final class Result implements WriteBatch.Visitor {

    private final WriteBatch batch = new WriteBatch();
    private final Bytes[] inOrder;
    private int place;

    Result(Bytes[] inOrder) {
      this.inOrder = inOrder;
    }

    @Override
    public void put(Bytes key, Bytes value) {
      batch.put(key, inOrder[place++]);
    }

    @Override
    public void delete(Bytes key) {
      batch.delete(key);
      place++;
    }
  }

  /**
   * Returns whether what was sealed ahead may still be written. The active key may have been
   * rotated or disabled since: then the value is sealed again, from plain.
   */
  private boolean isStillGood(Ahead ahead, Bytes key, Bytes value) {
    return ahead instanceof SealedAhead mine
        && mine.isOf(this, key, value)
        && encryptor instanceof EpochEncryptor epochs
        && epochs.isThisEpoch(mine.epoch);
  }
}
