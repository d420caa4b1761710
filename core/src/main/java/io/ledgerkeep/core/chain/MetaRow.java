package io.ledgerkeep.core.chain;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.BlockHead;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.error.IntegrityException;

/**
 * A meta with what the ledger keeps beside it.
 *
 * @param meta what the API shows
 * @param additionalBytes the size of the additional bytes: 0 means that they have no row
 * @param normalBlocks how many normal blocks there are up to this height, itself included
 * @param normalBytes the encoded size of their bodies: sums over a range are one subtraction
 */
public record MetaRow(BlockMeta meta, int additionalBytes, long normalBlocks, long normalBytes) {

  /** Returns the row of a block that follows the given one. */
  static MetaRow after(MetaRow previous, StoredBlock block, BlockDigests digests) {
    return following(previous.normalBlocks, previous.normalBytes, block, digests);
  }

  /** Returns the row of the genesis block. */
  static MetaRow genesis(StoredBlock block, BlockDigests digests) {
    return following(0, 0, block, digests);
  }

  private static MetaRow following(
      long blocks, long bytes, StoredBlock block, BlockDigests digests) {
    boolean normal = block.head().kind() == Block.Kind.NORMAL;
    return new MetaRow(
        digests.meta(block),
        block.additional().size(),
        blocks + (normal ? 1 : 0),
        bytes + (normal ? block.bodyBytes() : 0));
  }

  /**
   * Returns if this is the meta of a block that follows the one of the given meta.
   *
   * @throws IntegrityException if the hash or the sums tell otherwise
   */
  public void requireAfter(MetaRow previous) {
    if (!meta.previousHash().equals(previous.meta.hash())) {
      throw new IntegrityException(
          "block %s: it does not name the hash of block %s"
              .formatted(meta.height(), previous.meta.height()));
    }
    boolean normal = meta.kind() == Block.Kind.NORMAL;
    if (normalBlocks != previous.normalBlocks + (normal ? 1 : 0)
        || normalBytes != previous.normalBytes + (normal ? meta.bodyBytes() : 0)) {
      throw new IntegrityException(
          "block %s: the sums recorded with it are wrong".formatted(meta.height()));
    }
  }

  Bytes encode() {
    ByteWriter out = new ByteWriter(320 + meta.header().size());
    BlockHead.of(meta).writeTo(out);
    return out.varint(meta.transactionCount())
        .raw(meta.headerDigest())
        .raw(meta.additionalDigest())
        .raw(meta.transactionRoot())
        .raw(meta.rwSetRoot())
        .varint(meta.bodyBytes())
        .varint(additionalBytes)
        .varint(normalBlocks)
        .varint(normalBytes)
        .take();
  }

  static MetaRow decode(Bytes row, long height) {
    ByteReader in = new ByteReader(row, "the meta of block " + height);
    BlockHead head = BlockHead.readFrom(in, height);
    BlockMeta meta =
        new BlockMeta(
            height,
            head.kind(),
            head.hash(),
            head.previousHash(),
            head.header(),
            in.number(),
            in.raw(Digests.SIZE),
            in.raw(Digests.SIZE),
            in.raw(Digests.SIZE),
            in.raw(Digests.SIZE),
            in.varint());
    MetaRow metaRow = new MetaRow(meta, in.number(), in.varint(), in.varint());
    in.end();
    return metaRow;
  }
}
