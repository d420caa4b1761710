package io.ledgerkeep.core.archiving;

import io.ledgerkeep.BlockVerifier;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.core.chain.ChainStore;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.jobs.JobBook;
import io.ledgerkeep.core.sealing.ArchiveKeys;
import io.ledgerkeep.error.ConfigurationException;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * What the jobs need of the ledger they work on.
 *
 * @param chain the block database
 * @param digests the digest of the chain
 * @param chainId the name of the chain
 * @param ledgerId the identity of the ledger
 * @param store where the archive is, if anywhere
 * @param archiveKeys what the archive is sealed with, like the ledger
 * @param height the newest height
 * @param unarchivedBlocks how many of the newest blocks are never archived
 * @param beforeArchiving makes durable what is to stay of the blocks up to a height
 * @param room gives room on a full disk
 * @param handOverBytes after so many bytes of bodies an archive run moves the pivot: each time it
 *     waits for the engine to flush
 * @param jobs lets one job run, and writes it down
 * @param verifier the node's own rule, if it has one
 * @param executor runs what can run in parallel
 */
public record Site(
    ChainStore chain,
    Digests digests,
    String chainId,
    Bytes ledgerId,
    Optional<ArchiveStore> store,
    ArchiveKeys archiveKeys,
    LongSupplier height,
    LongSupplier unarchivedBlocks,
    LongConsumer beforeArchiving,
    Room room,
    long handOverBytes,
    JobBook jobs,
    Optional<BlockVerifier> verifier,
    Executor executor) {

  /** Gives room on a full disk. */
  public interface Room {

    /** Runs a write; where the disk is full, releases the reserve and runs it once more. */
    void during(Runnable write);

    /** Takes the reserve again where there is room. */
    void refill();
  }

  /** Returns the store, which a job cannot do without. */
  ArchiveStore requiredStore() {
    return store.orElseThrow(
        () -> new ConfigurationException("no archive store is configured (--archive DIR)"));
  }

  /** Returns the genesis hash; a chain without blocks has nothing to archive. */
  Bytes genesisHash() {
    return chain.reader().requiredMeta(0).meta().hash();
  }

  /** Returns the highest height that the protected newest blocks leave, or 0. */
  public long highestTarget() {
    return Math.max(0, height.getAsLong() - unarchivedBlocks.getAsLong());
  }
}
