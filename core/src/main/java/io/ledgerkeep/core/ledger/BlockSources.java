package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.LedgerReader;
import io.ledgerkeep.Ledgerkeep.Sync;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.core.chain.ChainReader.Transactions;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.BlockHead;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.error.IntegrityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All who have blocks of one chain, in the order in which they are asked. A block counts if it
 * continues the chain and is what was recorded of it, where a ledger among them has that. For one
 * thread; close it.
 */
final class BlockSources implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(BlockSources.class);

  private final Resources resources = new Resources();
  private final List<BlockSource> sources = new ArrayList<>();
  private final Optional<Sync.BlockExecutor> executor;
  private Optional<ArchiveSource> archive = Optional.empty();
  private long regained;
  private long lastRegained = -2;

  private BlockSources(Optional<Sync.BlockExecutor> executor) {
    this.executor = executor;
  }

  /**
   * Opens them all; the ledgers are owned from here on.
   *
   * @param made the ledger that is being made; what it has archived is no source
   */
  static BlockSources open(Sync sync, Settings settings, Optional<Bytes> made) {
    BlockSources opened = new BlockSources(sync.executor());
    try {
      sync.archive().ifPresent(builder -> opened.addArchive(builder, settings, made));
      sync.ledgers().stream()
          .map(LedgerBuilder::settingsOf)
          .forEach(
              ledger -> {
                ledger.executor = settings.executor;
                opened.add(LedgerSource.open(ledger));
              });
      opened.requireOneChain();
      return opened;
    } catch (RuntimeException | Error e) {
      opened.resources.closeAfter(e);
      throw e;
    }
  }

  private void addArchive(Object builder, Settings settings, Optional<Bytes> made) {
    if (!(builder instanceof AloneArchiveBuilder ours)) {
      throw new IllegalArgumentException("the builder is not one of Ledgerkeep.archive()");
    }
    ArchiveSource source = new ArchiveSource(ours.openForJob(made), settings.executor);
    archive = Optional.of(source);
    add(source);
  }

  private void add(BlockSource source) {
    resources.add(source);
    sources.add(source);
  }

  private void requireOneChain() {
    if (lastHeight() < 0) {
      throw new ConfigurationException(first().name() + " has no blocks to begin with");
    }
    Bytes genesis = genesisHash();
    for (BlockSource source : sources) {
      Optional<Bytes> other = source.genesisHash();
      if (!source.chainId().equals(first().chainId())
          || other.filter(hash -> !hash.equals(genesis)).isPresent()) {
        throw new ConflictException(
            Reason.OTHER_CHAIN,
            "%s is of chain '%s' with genesis block %s, %s of chain '%s' with genesis block %s"
                .formatted(
                    first().name(),
                    first().chainId(),
                    genesis.hex(),
                    source.name(),
                    source.chainId(),
                    other.map(Bytes::hex).orElse("unknown")));
      }
    }
  }

  /** Returns the hash of the genesis block, of the first that has it. */
  Bytes genesisHash() {
    return sources.stream()
        .flatMap(source -> source.genesisHash().stream())
        .findFirst()
        .orElseThrow(() -> new IntegrityException("no source has the genesis block whole"));
  }

  /** Returns the one that is asked first. */
  BlockSource first() {
    return sources.get(0);
  }

  Optional<ArchiveSource> archive() {
    return archive;
  }

  /** Returns how many of its newest blocks the first ledger among them never archives. */
  Optional<Long> unarchivedBlocks() {
    return sources.stream()
        .flatMap(source -> source instanceof LedgerSource of ? Stream.of(of) : Stream.empty())
        .findFirst()
        .flatMap(LedgerSource::unarchivedBlocks);
  }

  long lastHeight() {
    return sources.stream().mapToLong(BlockSource::lastHeight).max().orElse(-1);
  }

  /** Returns the encoded size of all blocks, about, in bytes. */
  long rawBytes() {
    return sources.stream().mapToLong(BlockSource::rawBytes).max().orElse(0);
  }

  /** Returns how many blocks were not whole where they should have been. */
  long regained() {
    return regained;
  }

  /**
   * Returns the block at a height.
   *
   * @param previousHash the hash of the block before; empty where that is not known
   * @param before the ledger as it is before the block, if a block can be executed on it
   * @throws IntegrityException if no source has it whole
   */
  Block block(long height, Optional<Bytes> previousHash, Optional<LedgerReader> before) {
    Optional<Recorded> recorded = recorded(height);
    List<String> failures = new ArrayList<>();
    for (BlockSource source : sources) {
      try {
        Optional<StoredBlock> found = source.block(height);
        if (found.isPresent()) {
          requireFits(found.get(), previousHash, recorded);
          Block block = found.get().decode();
          tellOf(height, failures);
          return block;
        }
      } catch (IntegrityException e) {
        failures.add(source.name() + ": " + e.getMessage());
      }
    }
    Optional<Block> executed = before.flatMap(state -> executed(height, recorded, state, failures));
    if (executed.isPresent()) {
      tellOf(height, failures);
      return executed.get();
    }
    throw new IntegrityException(
        "no source has block %s whole%s; give another one that has it, too, such as the archive of a ledger that was archived"
            .formatted(height, failures.isEmpty() ? "" : " (" + String.join("; ", failures) + ")"));
  }

  /** Tells of the first of blocks that follow one another: they may be millions. */
  private void tellOf(long height, List<String> failures) {
    if (failures.isEmpty()) {
      return;
    }
    regained++;
    if (height != lastRegained + 1) {
      LOG.warn("block {}, and perhaps those after it, was regained: {}", height, failures);
    }
    lastRegained = height;
  }

  /** What a ledger recorded when a block was committed. */
  private record Recorded(String source, Digests digests, BlockMeta meta) {

    boolean contradicts(Recorded other) {
      return digests.id().equals(other.digests.id())
          ? !meta.equals(other.meta)
          : !meta.hash().equals(other.meta.hash());
    }
  }

  private Optional<Recorded> recorded(long height) {
    List<Recorded> all =
        sources.stream()
            .flatMap(
                source ->
                    source.recorded(height).stream()
                        .map(meta -> new Recorded(source.name(), source.digests(), meta)))
            .toList();
    all.stream()
        .filter(other -> other.contradicts(all.get(0)))
        .findFirst()
        .ifPresent(
            other -> {
              throw new IntegrityException(
                  "block %s: %s and %s recorded different ones; one of them is on another branch, or was changed: leave one of them out"
                      .formatted(height, all.get(0).source(), other.source()));
            });
    return all.stream().findFirst();
  }

  /** Returns the name of a ledger among them that recorded another block than this one. */
  Optional<String> contradicting(BlockMeta block, Digests digests) {
    return recorded(block.height())
        .filter(known -> known.contradicts(new Recorded("", digests, block)))
        .map(Recorded::source);
  }

  private static void requireFits(
      StoredBlock block, Optional<Bytes> previousHash, Optional<Recorded> recorded) {
    long height = block.head().height();
    if (previousHash.filter(hash -> !hash.equals(block.head().previousHash())).isPresent()) {
      throw new IntegrityException(
          "block %s does not continue the chain: it names another block before it"
              .formatted(height));
    }
    recorded
        .filter(known -> !known.meta().equals(metaOf(block, known.digests())))
        .ifPresent(
            known -> {
              throw new IntegrityException(
                  "block %s is not the one that %s recorded".formatted(height, known.source()));
            });
  }

  private static BlockMeta metaOf(StoredBlock block, Digests digests) {
    return BlockDigests.of(block, digests.newDigest()).meta(block);
  }

  // ------------------------------------------------------------------------------------ execute

  private Optional<Block> executed(
      long height, Optional<Recorded> recorded, LedgerReader before, List<String> failures) {
    if (executor.isEmpty() || recorded.isEmpty()) {
      return Optional.empty();
    }
    for (BlockSource source : sources) {
      Optional<Transactions> whole =
          source instanceof LedgerSource ledger ? ledger.transactions(height) : Optional.empty();
      if (whole.isPresent()) {
        try {
          StoredBlock block = executed(recorded.get().meta(), whole.get(), before);
          requireFits(block, Optional.empty(), recorded);
          return Optional.of(block.decode());
        } catch (IntegrityException e) {
          failures.add("executed anew: " + e.getMessage());
        }
      }
    }
    return Optional.empty();
  }

  private StoredBlock executed(BlockMeta meta, Transactions whole, LedgerReader before) {
    List<Transaction> transactions =
        whole.transactions().stream().map(row -> StoredBlock.transaction(row.join())).toList();
    List<RwSet> rwSets = executor.orElseThrow().execute(meta, transactions, before);
    if (rwSets.size() != transactions.size()) {
      throw new IntegrityException(
          "block %s has %s transactions, and executing it gave %s read/write sets"
              .formatted(meta.height(), transactions.size(), rwSets.size()));
    }
    List<Rope> rows = rwSets.stream().map(StoredBlock::rwSetRow).toList();
    return new StoredBlock(BlockHead.of(meta), whole.additional(), whole.transactions(), rows);
  }

  @Override
  public void close() {
    resources.close();
  }
}
