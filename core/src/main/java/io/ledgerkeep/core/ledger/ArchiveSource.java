package io.ledgerkeep.core.ledger;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.archive.Archive.Segment;
import io.ledgerkeep.core.archive.LedgerArchive;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** An archive, read on its own: its manifest names the digest of every byte that is read. */
final class ArchiveSource implements BlockSource {

  private final LedgerArchive archive;
  private final Executor executor;
  private @Nullable CloseableIterator<StoredBlock> segment;

  /** The block that the iterator has next, and the last one it has. */
  private long next;

  private long until;

  /** Takes the archive over. */
  ArchiveSource(LedgerArchive archive, Executor executor) {
    this.archive = archive;
    this.executor = executor;
  }

  LedgerArchive archive() {
    return archive;
  }

  @Override
  public String name() {
    return "the archive in " + archive.place();
  }

  @Override
  public String chainId() {
    return archive.chainId();
  }

  @Override
  public Optional<Bytes> genesisHash() {
    return Optional.of(archive.genesisHash());
  }

  @Override
  public Bytes ledgerId() {
    return archive.manifest().names().ledgerId();
  }

  @Override
  public Digests digests() {
    return archive.manifest().digests();
  }

  @Override
  public long lastHeight() {
    return archive.lastHeight();
  }

  @Override
  public boolean isEncrypted() {
    return archive.manifest().isSealed();
  }

  @Override
  public long rawBytes() {
    return archive.segments().stream().mapToLong(Segment::rawBytes).sum();
  }

  @Override
  public Optional<StoredBlock> block(long height) {
    if (height > lastHeight() || height < archive.firstHeight()) {
      return Optional.empty();
    }
    CloseableIterator<StoredBlock> open = segment;
    if (open == null || height != next || height > until) {
      open = at(height);
    }
    try {
      StoredBlock block = open.next();
      next++;
      return Optional.of(block);
    } catch (RuntimeException | Error e) {
      leaveSegment();
      throw e;
    }
  }

  private CloseableIterator<StoredBlock> at(long height) {
    leaveSegment();
    Segment listed = archive.manifest().requiredSegmentAt(height);
    CloseableIterator<StoredBlock> opened = archive.blocks(listed, height, executor);
    segment = opened;
    next = height;
    until = listed.lastHeight();
    return opened;
  }

  private void leaveSegment() {
    CloseableIterator<StoredBlock> open = segment;
    segment = null;
    if (open != null) {
      open.close();
    }
  }

  @Override
  public Optional<BlockMeta> recorded(long height) {
    return Optional.empty();
  }

  @Override
  public void close() {
    try {
      leaveSegment();
    } finally {
      archive.close();
    }
  }
}
