package io.ledgerkeep.testkit;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.error.IntegrityException;
import java.util.Iterator;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A made-up chain without end: blocks that are linked by their hashes, whose transactions read,
 * rewrite and delete the same keys again and again, so that state and history matter. The same
 * settings give the same blocks, on every machine. Immutable; safe for any number of threads.
 *
 * <p>Blocks are made one after the other when they are asked for; no more than the state is kept
 * meanwhile, whose size {@link Builder#keys} bounds.
 *
 * <pre>{@code
 * SampleChain chain = SampleChain.builder().seed(7).configAt(height -> height % 100 == 0).build();
 * chain.blocks(1000).forEach(ledger::commit);
 * SampleChain other = chain.branch(500, 8);       // the same up to height 499
 * }</pre>
 *
 * <p>The hash of a block is the SHA-256 digest of everything in it but itself and the additional
 * bytes; {@link #verifier} computes it again.
 */
public final class SampleChain implements Iterable<Block> {

  private final Builder settings;

  /** The seed of the blocks from each height on. */
  private final NavigableMap<Long, Long> seeds;

  private SampleChain(Builder settings, NavigableMap<Long, Long> seeds) {
    this.settings = settings;
    this.seeds = seeds;
  }

  /** Returns the chain of that seed, with the defaults of the builder. */
  public static SampleChain ofSeed(long seed) {
    return builder().seed(seed).build();
  }

  /** Returns a builder that makes a small chain if nothing else is said. */
  public static Builder builder() {
    return new Builder();
  }

  /** Returns a rule that accepts a block whose hash is the digest of its content. */
  public static BlockVerifier verifier() {
    return block -> {
      if (!SampleHash.of(block).equals(block.hash())) {
        throw new IntegrityException(
            "the hash of block " + block.height() + " is not the digest of its content");
      }
    };
  }

  /**
   * Returns a chain that has the same blocks below the height, and others from it on.
   *
   * @param seed other than the one of this chain
   */
  public SampleChain branch(long height, long seed) {
    if (height < 1 || seeds.floorEntry(height).getValue() == seed) {
      throw new IllegalArgumentException(
          "a branch begins above height 0 and has a seed of its own; not %s with seed %s"
              .formatted(height, seed));
    }
    NavigableMap<Long, Long> branched = new TreeMap<>(seeds.headMap(height, false));
    branched.put(height, seed);
    return new SampleChain(settings, branched);
  }

  /** Returns the blocks from height 0 on, without end. */
  @Override
  public Iterator<Block> iterator() {
    return new SampleBlocks(settings, seeds);
  }

  /** Returns the first blocks, so many of them, from height 0 on. */
  public Stream<Block> blocks(long count) {
    int ordered = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator(), ordered), false)
        .limit(count);
  }

  /** Returns the blocks of the heights; those below {@code from} are made and thrown away. */
  public Stream<Block> blocks(long from, long until) {
    return blocks(until).skip(from);
  }

  /** Returns the block at the height; those below are made and thrown away. */
  public Block block(long height) {
    return blocks(height, height + 1).findFirst().orElseThrow();
  }

  /** Returns the seeds, for the message of a failed test. */
  @Override
  public String toString() {
    return "SampleChain[seeds by height=" + seeds + "]";
  }

  /** Collects the settings of a chain. For one thread. */
  public static final class Builder {

    long seed = 1;
    LongPredicate configAt = height -> height % 50 == 25;
    LongPredicate emptyAt = height -> height % 7 == 3;
    int transactionsPerBlock = 3;
    int payloadBytes = 200;
    int readsPerTransaction = 2;
    int writesPerTransaction = 3;
    int valueBytes = 60;
    int keys = 500;
    int additionalBytes = 100;

    private Builder() {}

    private Builder(Builder other) {
      seed = other.seed;
      configAt = other.configAt;
      emptyAt = other.emptyAt;
      transactionsPerBlock = other.transactionsPerBlock;
      payloadBytes = other.payloadBytes;
      readsPerTransaction = other.readsPerTransaction;
      writesPerTransaction = other.writesPerTransaction;
      valueBytes = other.valueBytes;
      keys = other.keys;
      additionalBytes = other.additionalBytes;
    }

    /** Sets what everything random follows; 1 by default. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** Sets at which heights above 0 there are config blocks; by default 25, 75, 125, ... */
    public Builder configAt(LongPredicate heights) {
      this.configAt = heights;
      return this;
    }

    /** Sets at which heights there are blocks without transactions; by default 3, 10, 17, ... */
    public Builder emptyAt(LongPredicate heights) {
      this.emptyAt = heights;
      return this;
    }

    /** Sets how many transactions the other blocks have; 3 by default. Config blocks have one. */
    public Builder transactionsPerBlock(int count) {
      this.transactionsPerBlock = atLeast(0, count);
      return this;
    }

    /** Sets the size of every payload; 200 bytes by default. A third of it is noise. */
    public Builder payloadBytes(int bytes) {
      this.payloadBytes = atLeast(0, bytes);
      return this;
    }

    /** Sets how many keys a transaction reads; 2 by default. */
    public Builder readsPerTransaction(int count) {
      this.readsPerTransaction = atLeast(0, count);
      return this;
    }

    /** Sets how many writes most transactions have; 3 by default. Some have none. */
    public Builder writesPerTransaction(int count) {
      this.writesPerTransaction = atLeast(0, count);
      return this;
    }

    /** Sets the size of most values; 60 bytes by default. Some are empty. */
    public Builder valueBytes(int bytes) {
      this.valueBytes = atLeast(0, bytes);
      return this;
    }

    /** Sets how many keys there are in all; 500 by default. A few of them take half the writes. */
    public Builder keys(int count) {
      this.keys = atLeast(1, count);
      return this;
    }

    /** Sets the size of the additional bytes of every block; 100 bytes by default. */
    public Builder additionalBytes(int bytes) {
      this.additionalBytes = atLeast(0, bytes);
      return this;
    }

    /** Returns the chain; the builder may be used on. */
    public SampleChain build() {
      return new SampleChain(new Builder(this), new TreeMap<>(Map.of(0L, seed)));
    }

    private static int atLeast(int least, int value) {
      if (value < least) {
        throw new IllegalArgumentException("must be at least " + least + ", not " + value);
      }
      return value;
    }
  }
}
