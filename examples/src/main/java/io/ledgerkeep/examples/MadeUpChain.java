package io.ledgerkeep.examples;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Plays the node of the examples: makes the blocks that a node would agree on with its peers. In
 * every block one transaction sets the balance of Alice, and one that of the clerk in charge.
 */
final class MadeUpChain {

  static final String CONTRACT = "token";
  static final Bytes ALICE = Bytes.ofUtf8("alice");

  /** Every so many blocks one changes the configuration of the chain. */
  private static final int CONFIG_INTERVAL = 25;

  private MadeUpChain() {}

  /** Returns the blocks of the heights 0 to {@code count - 1}, always the same. */
  static List<Block> blocks(int count) {
    List<Block> blocks = new ArrayList<>();
    Bytes previousHash = Bytes.EMPTY;
    for (int height = 0; height < count; height++) {
      Block block = block(height, previousHash);
      blocks.add(block);
      previousHash = block.hash();
    }
    return blocks;
  }

  private static Block block(long height, Bytes previousHash) {
    Bytes header = Bytes.ofUtf8("block " + height + " after " + previousHash.hex());
    List<Transaction> transactions =
        List.of(
            new Transaction("pay-" + height, Bytes.ofUtf8("pay Alice " + height)),
            new Transaction("clerk-" + height, Bytes.ofUtf8("count for clerk " + height % 7)));
    List<RwSet> rwSets =
        List.of(
            sets("pay-" + height, ALICE, height),
            sets("clerk-" + height, Bytes.ofUtf8("clerk-" + height % 7), height));
    Bytes votes = Bytes.ofUtf8("votes of the peers");
    return new Block(
        height, kind(height), sha256(header), previousHash, header, transactions, rwSets, votes);
  }

  private static Block.Kind kind(long height) {
    if (height == 0) {
      return Block.Kind.GENESIS;
    }
    return height % CONFIG_INTERVAL == 0 ? Block.Kind.CONFIG : Block.Kind.NORMAL;
  }

  private static RwSet sets(String txId, Bytes key, long balance) {
    Optional<Bytes> before =
        balance == 0 ? Optional.empty() : Optional.of(Bytes.ofUtf8("as it was"));
    Bytes after = Bytes.ofUtf8(Long.toString(balance));
    return new RwSet(
        txId,
        List.of(new RwSet.Read(CONTRACT, key, before)),
        List.of(new RwSet.Write(CONTRACT, key, Optional.of(after))));
  }

  private static Bytes sha256(Bytes bytes) {
    try {
      return Bytes.wrap(MessageDigest.getInstance("SHA-256").digest(bytes.toArray()));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
