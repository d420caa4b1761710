package io.ledgerkeep.core.archiving;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.segment.SegmentReader;
import io.ledgerkeep.core.segment.SegmentReader.ProvenRow;
import io.ledgerkeep.error.IntegrityException;

/**
 * Reads archived bodies from the archive, each proven by the node's own record: a block by all its
 * digests, a transaction or read/write set by the Merkle root, for which only a few frames are
 * read.
 */
final class ReadThrough implements ArchivedBodies {

  private final Site site;
  private final ArchiveLink link;

  ReadThrough(Site site, ArchiveLink link) {
    this.site = site;
    this.link = link;
  }

  @Override
  public Block block(BlockMeta meta) {
    return link.ask(
        meta.height(),
        segment -> {
          StoredBlock block = segment.block(meta.height());
          Proof.requireCommitted(block, meta, segment.name(), site.digests().newDigest());
          return block.decode();
        });
  }

  @Override
  public Transaction transaction(BlockMeta meta, int ordinal) {
    return link.ask(
        meta.height(),
        segment -> {
          ProvenRow row = segment.transactionRow(meta.height(), ordinal);
          return StoredBlock.transaction(proven(row, meta.transactionRoot(), meta, segment));
        });
  }

  @Override
  public RwSet rwSet(BlockMeta meta, int ordinal, String txId) {
    return link.ask(
        meta.height(),
        segment -> {
          ProvenRow row = segment.rwSetRow(meta.height(), ordinal);
          return StoredBlock.rwSet(txId, proven(row, meta.rwSetRoot(), meta, segment));
        });
  }

  private static Bytes proven(ProvenRow row, Bytes root, BlockMeta meta, SegmentReader segment) {
    if (!row.root().equals(root)) {
      throw new IntegrityException(
          "segment %s proves the root %s for block %s, but the ledger recorded %s"
              .formatted(segment.name(), row.root().hex(), meta.height(), root.hex()));
    }
    return row.row();
  }
}
