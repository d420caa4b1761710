package io.ledgerkeep.core.codec;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;

/** What of a block is no body: it stays on the node and goes into segments too. */
public record BlockHead(
    long height, Block.Kind kind, Bytes hash, Bytes previousHash, Bytes header) {

  private static final Block.Kind[] KINDS = Block.Kind.values();

  /** Returns the head of a block. */
  public static BlockHead of(Block block) {
    return new BlockHead(
        block.height(), block.kind(), block.hash(), block.previousHash(), block.header());
  }

  /** Returns the head of the block that a meta speaks of. */
  public static BlockHead of(BlockMeta meta) {
    return new BlockHead(
        meta.height(), meta.kind(), meta.hash(), meta.previousHash(), meta.header());
  }

  /** Writes all but the height, which the place of the bytes tells. */
  public void writeTo(ByteWriter out) {
    out.u8(kind.ordinal()).sized(hash).sized(previousHash).sized(header);
  }

  /** Reads what {@link #writeTo} wrote. */
  public static BlockHead readFrom(ByteReader in, long height) {
    int kind = in.u8();
    if (kind >= KINDS.length) {
      throw in.damaged("there is no kind of block " + kind);
    }
    return new BlockHead(height, KINDS[kind], in.sized(), in.sized(), in.sized());
  }
}
