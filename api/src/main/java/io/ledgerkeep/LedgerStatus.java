package io.ledgerkeep;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Identity, heights and sizes of a ledger at one moment.
 *
 * @param chainId the name of the chain
 * @param ledgerId the random identity of this ledger, 32 hexadecimal digits
 * @param genesisHash the hash of the genesis block, or empty while there is none
 * @param digest the name of the digest of the recorded roots
 * @param encryption the suite that new values are sealed with, {@code own} where an encryptor was
 *     handed in, or empty text for a ledger in plain
 * @param formatVersion the version of the format of the databases
 * @param compatibilityVersion fixed at creation, never changed by an upgrade
 * @param height the newest block, or -1
 * @param archivedHeight the pivot
 * @param highestArchivableHeight what an archive run may reach at most now, or 0
 * @param unarchivedBlocks how many of the newest blocks are never archived
 * @param derivedThrough up to where state and history are known to be durable
 * @param readThrough whether archived bodies are read from the archive
 * @param archivePlace where the archive lies, or empty text
 * @param job the maintenance job in progress or interrupted, or empty text
 * @param lastBackup when the newest backup was done, and so verified; empty where the newest part
 *     of the audit file tells of none
 * @param lastVerification when a verification last read every byte of the archive, looked at all
 *     blocks and found nothing wrong; empty likewise
 * @param engines the name of the engine of each database
 * @param bytesOnDisk the size of each database, reserve files not counted
 */
public record LedgerStatus(
    String chainId,
    String ledgerId,
    Bytes genesisHash,
    String digest,
    String encryption,
    int formatVersion,
    String compatibilityVersion,
    long height,
    long archivedHeight,
    long highestArchivableHeight,
    long unarchivedBlocks,
    long derivedThrough,
    boolean readThrough,
    String archivePlace,
    String job,
    Optional<Instant> lastBackup,
    Optional<Instant> lastVerification,
    Map<Database, String> engines,
    Map<Database, Long> bytesOnDisk) {

  /** Copies the maps. */
  public LedgerStatus {
    engines = Map.copyOf(engines);
    bytesOnDisk = Map.copyOf(bytesOnDisk);
  }
}
