package io.ledgerkeep.core.codec;

import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * Everything that is recorded to prove the bytes of a block, computed in one pass over them.
 *
 * @param header the digest of the header
 * @param additional the digest of the additional bytes
 * @param transactionLeaves the leaf of each transaction row
 * @param rwSetLeaves the leaf of each read/write set row
 * @param transactionRoot the root over the transaction leaves
 * @param rwSetRoot the root over the read/write set leaves
 */
public record BlockDigests(
    Bytes header,
    Bytes additional,
    List<Bytes> transactionLeaves,
    List<Bytes> rwSetLeaves,
    Bytes transactionRoot,
    Bytes rwSetRoot) {

  /** Computes the digests of a block. */
  public static BlockDigests of(StoredBlock block, MessageDigest digest) {
    List<Bytes> transactionLeaves = leaves(block.transactions(), digest);
    List<Bytes> rwSetLeaves = leaves(block.rwSets(), digest);
    return new BlockDigests(
        digestOf(block.head().header(), digest),
        digestOf(block.additional(), digest),
        transactionLeaves,
        rwSetLeaves,
        MerkleTree.root(digest, transactionLeaves),
        MerkleTree.root(digest, rwSetLeaves));
  }

  /** Returns the meta of the block that these digests were computed of. */
  public BlockMeta meta(StoredBlock block) {
    BlockHead head = block.head();
    return new BlockMeta(
        head.height(),
        head.kind(),
        head.hash(),
        head.previousHash(),
        head.header(),
        block.transactions().size(),
        header,
        additional,
        transactionRoot,
        rwSetRoot,
        block.bodyBytes());
  }

  /**
   * Returns the record digest of a block: the leaf over its height, kind, hashes, count, digests
   * and roots. Equal record digests mean equal blocks, byte for byte; the content root of a segment
   * is the Merkle root over them.
   */
  public static Bytes recordDigest(BlockMeta meta, MessageDigest digest) {
    ByteWriter out = new ByteWriter(320);
    out.u64(meta.height())
        .u8(BlockHead.code(meta.kind()))
        .sized(meta.hash())
        .sized(meta.previousHash());
    out.varint(meta.transactionCount()).raw(meta.headerDigest()).raw(meta.additionalDigest());
    out.raw(meta.transactionRoot()).raw(meta.rwSetRoot());
    return MerkleTree.leaf(digest, Rope.of(out.take()));
  }

  private static List<Bytes> leaves(List<Rope> rows, MessageDigest digest) {
    List<Bytes> leaves = new ArrayList<>(rows.size());
    for (Rope row : rows) {
      leaves.add(MerkleTree.leaf(digest, row));
    }
    return leaves;
  }

  private static Bytes digestOf(Bytes bytes, MessageDigest digest) {
    bytes.digestInto(digest);
    return Bytes.wrap(digest.digest());
  }
}
