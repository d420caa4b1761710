package io.ledgerkeep.core.ledger;

import io.ledgerkeep.Block;
import io.ledgerkeep.Block.Kind;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Makes blocks by hand, for what no sample chain has: each differs from others as a test says. */
final class Blocks {

  long height;
  Kind kind = Kind.NORMAL;
  Bytes hash = Bytes.EMPTY;
  Bytes previousHash = Bytes.EMPTY;
  Bytes header = Bytes.EMPTY;
  Bytes additional = Bytes.EMPTY;
  final List<Transaction> transactions = new ArrayList<>();
  final List<RwSet> rwSets = new ArrayList<>();

  private Blocks() {}

  /** Begins a genesis block. */
  static Blocks genesis() {
    Blocks genesis = new Blocks();
    genesis.kind = Kind.GENESIS;
    genesis.hash = Bytes.ofUtf8("hash of genesis");
    return genesis;
  }

  /** Begins a block that follows. */
  static Blocks after(Block block) {
    Blocks next = new Blocks();
    next.height = block.height() + 1;
    next.previousHash = block.hash();
    next.hash = Bytes.ofUtf8("hash " + next.height + " after " + block.hash().hashCode());
    return next;
  }

  /** Begins a block that is the same in everything that is not changed. */
  static Blocks like(Block block) {
    Blocks like = new Blocks();
    like.height = block.height();
    like.kind = block.kind();
    like.hash = block.hash();
    like.previousHash = block.previousHash();
    like.header = block.header();
    like.additional = block.additional();
    like.transactions.addAll(block.transactions());
    like.rwSets.addAll(block.rwSets());
    return like;
  }

  /** Adds a transaction that writes nothing. */
  Blocks transaction(String id, Bytes payload) {
    return transaction(id, payload, List.of());
  }

  /** Adds a transaction with its writes. */
  Blocks transaction(String id, Bytes payload, List<RwSet.Write> writes) {
    transactions.add(new Transaction(id, payload));
    rwSets.add(new RwSet(id, List.of(), writes));
    return this;
  }

  /** Adds a transaction that writes one value. */
  Blocks put(String id, String namespace, Bytes key, Bytes value) {
    return transaction(
        id, Bytes.EMPTY, List.of(new RwSet.Write(namespace, key, Optional.of(value))));
  }

  /** Adds a transaction that deletes one key. */
  Blocks delete(String id, String namespace, Bytes key) {
    return transaction(id, Bytes.EMPTY, List.of(new RwSet.Write(namespace, key, Optional.empty())));
  }

  Block build() {
    return new Block(height, kind, hash, previousHash, header, transactions, rwSets, additional);
  }

  /** Returns bytes that cannot be compressed, the same for the same seed. */
  static Bytes noise(long seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return Bytes.wrap(bytes);
  }
}
