package io.ledgerkeep;

import java.util.List;

/**
 * A block with everything that belongs to it, as the node made it. The ledger keeps its bytes and
 * gives them back unchanged.
 *
 * @param height from 0 without gaps
 * @param kind {@link Kind#GENESIS} at height 0 and nowhere else
 * @param hash as the node computed it, 1 to {@value #MAX_HASH_BYTES} bytes
 * @param previousHash the hash of the block before; at most {@value #MAX_HASH_BYTES} bytes, of any
 *     content in the genesis block
 * @param header opaque to the ledger; stays on the node for ever
 * @param transactions in the order of the block
 * @param rwSets one for each transaction, in the same order
 * @param additional bytes outside the hash, such as votes
 */
public record Block(
    long height,
    Kind kind,
    Bytes hash,
    Bytes previousHash,
    Bytes header,
    List<Transaction> transactions,
    List<RwSet> rwSets,
    Bytes additional) {

  /** The longest hash, in bytes. */
  public static final int MAX_HASH_BYTES = 64;

  /**
   * The largest sum of all fields of a block, in bytes, texts counted in UTF-8: eight payloads or
   * values of the largest size and 16 MiB for everything else.
   */
  public static final long MAX_BYTES = (512L << 20) + (16L << 20);

  /** What a block is for. */
  public enum Kind {
    /** The first block; never archived. */
    GENESIS,
    /** A block that changes the configuration of the chain; never archived. */
    CONFIG,
    /** Any other block. */
    NORMAL
  }

  /** Checks height, kind, hashes and that read/write sets and transactions belong together. */
  public Block {
    transactions = List.copyOf(transactions);
    rwSets = List.copyOf(rwSets);
    require(height >= 0, "a height must not be negative, but is " + height);
    require(
        (kind == Kind.GENESIS) == (height == 0),
        "the block at height 0, and no other, is of kind genesis; this is "
            + kind
            + " at height "
            + height);
    require(
        !hash.isEmpty() && hash.size() <= MAX_HASH_BYTES,
        "a hash must have 1 to " + MAX_HASH_BYTES + " bytes, but has " + hash.size());
    require(
        previousHash.size() <= MAX_HASH_BYTES,
        "a previous hash has at most " + MAX_HASH_BYTES + " bytes, not " + previousHash.size());
    require(
        rwSets.size() == transactions.size(),
        "a block needs one read/write set per transaction; there are "
            + rwSets.size()
            + " for "
            + transactions.size());
    for (int i = 0; i < rwSets.size(); i++) {
      require(
          rwSets.get(i).txId().equals(transactions.get(i).id()),
          "read/write set " + i + " does not belong to transaction " + i);
    }
  }

  /**
   * Returns the size of the decoded content: hashes, header, additional bytes, ids, payloads,
   * namespaces, keys and values, in bytes.
   */
  public long rawBytes() {
    long sum = (long) hash.size() + previousHash.size() + header.size() + additional.size();
    for (Transaction transaction : transactions) {
      sum += utf8Size(transaction.id()) + (long) transaction.payload().size();
    }
    for (RwSet rwSet : rwSets) {
      sum += rawBytes(rwSet);
    }
    return sum;
  }

  private static long rawBytes(RwSet rwSet) {
    long sum = utf8Size(rwSet.txId());
    for (RwSet.Read read : rwSet.reads()) {
      sum +=
          utf8Size(read.namespace()) + read.key().size() + read.value().map(Bytes::size).orElse(0);
    }
    for (RwSet.Write write : rwSet.writes()) {
      sum +=
          utf8Size(write.namespace())
              + write.key().size()
              + write.value().map(Bytes::size).orElse(0);
    }
    return sum;
  }

  private static int utf8Size(String text) {
    return Transaction.requireText(text, "text");
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
