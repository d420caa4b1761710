package io.ledgerkeep.core.codec;

import io.ledgerkeep.Block;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;

/** What of a block is no body: it stays on the node and goes into segments too. */
public record BlockHead(
    long height, Block.Kind kind, Bytes hash, Bytes previousHash, Bytes header) {

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
    out.u8(code(kind)).sized(hash).sized(previousHash).sized(header);
  }

  /** Reads what {@link #writeTo} wrote. */
  public static BlockHead readFrom(ByteReader in, long height) {
    return new BlockHead(height, kind(in), in.sized(), in.sized(), in.sized());
  }

  /** Returns the number that stands for the kind in stored bytes. */
  static int code(Block.Kind kind) {
    return switch (kind) {
      case GENESIS -> 0;
      case CONFIG -> 1;
      case NORMAL -> 2;
    };
  }

  private static Block.Kind kind(ByteReader in) {
    int code = in.u8();
    return switch (code) {
      case 0 -> Block.Kind.GENESIS;
      case 1 -> Block.Kind.CONFIG;
      case 2 -> Block.Kind.NORMAL;
      default -> throw in.damaged("there is no kind of block " + code);
    };
  }
}
