package io.ledgerkeep.core.codec;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.error.IntegrityException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A block as it is stored: its head and the rows of its body. Two stored blocks of equal rows are
 * the same block; decoding and encoding again gives the same rows.
 *
 * @param head what is no body
 * @param additional the bytes outside the hash
 * @param transactions a row for each transaction
 * @param rwSets a row for each read/write set, in the same order
 */
public record StoredBlock(
    BlockHead head, Bytes additional, List<Rope> transactions, List<Rope> rwSets) {

  /** Returns the rows of a block. */
  public static StoredBlock of(Block block) {
    List<Rope> transactions = new ArrayList<>(block.transactions().size());
    for (Transaction transaction : block.transactions()) {
      transactions.add(transactionRow(transaction));
    }
    List<Rope> rwSets = new ArrayList<>(block.rwSets().size());
    for (RwSet rwSet : block.rwSets()) {
      rwSets.add(rwSetRow(rwSet));
    }
    return new StoredBlock(BlockHead.of(block), block.additional(), transactions, rwSets);
  }

  /** Returns the block; its byte strings are parts of the rows, not copies. */
  public Block decode() {
    List<Transaction> blockTransactions = new ArrayList<>(transactions.size());
    List<RwSet> blockRwSets = new ArrayList<>(rwSets.size());
    for (int i = 0; i < transactions.size(); i++) {
      Transaction transaction = transaction(transactions.get(i).join());
      blockTransactions.add(transaction);
      blockRwSets.add(rwSet(transaction.id(), rwSets.get(i).join()));
    }
    try {
      return new Block(
          head.height(),
          head.kind(),
          head.hash(),
          head.previousHash(),
          head.header(),
          blockTransactions,
          blockRwSets,
          additional);
    } catch (IllegalArgumentException e) {
      throw new IntegrityException("block " + head.height() + " is damaged: " + e.getMessage(), e);
    }
  }

  /** Returns the encoded size of the body, in bytes. */
  public long bodyBytes() {
    long sum = additional.size();
    for (int i = 0; i < transactions.size(); i++) {
      sum += transactions.get(i).size() + rwSets.get(i).size();
    }
    return sum;
  }

  /** Encodes a transaction: its id, then its payload. */
  static Rope transactionRow(Transaction transaction) {
    byte[] id = transaction.id().getBytes(StandardCharsets.UTF_8);
    Bytes prefix = new ByteWriter(id.length + 2).varint(id.length).raw(id).take();
    return Rope.of(prefix, transaction.payload());
  }

  /** Decodes a transaction. */
  public static Transaction transaction(Bytes row) {
    ByteReader in = new ByteReader(row, "a transaction");
    try {
      return new Transaction(in.text(), in.rest());
    } catch (IllegalArgumentException e) {
      throw in.damaged(String.valueOf(e.getMessage()));
    }
  }

  /** Decodes the id of a transaction alone. */
  public static String transactionId(Bytes row) {
    return new ByteReader(row, "a transaction").text();
  }

  /**
   * Encodes a read/write set: the counts of reads and writes, then each with namespace, key and
   * value. A value has its length plus one before it, or 0 where there is none. The id is that of
   * the transaction beside it.
   */
  public static Rope rwSetRow(RwSet rwSet) {
    RopeWriter row = new RopeWriter(256);
    row.varint(rwSet.reads().size()).varint(rwSet.writes().size());
    for (RwSet.Read read : rwSet.reads()) {
      access(row, read.namespace(), read.key(), read.value());
    }
    for (RwSet.Write write : rwSet.writes()) {
      access(row, write.namespace(), write.key(), write.value());
    }
    return row.take();
  }

  private static void access(RopeWriter row, String namespace, Bytes key, Optional<Bytes> value) {
    row.text(namespace).sized(key);
    if (value.isPresent()) {
      row.varint(value.get().size() + 1L).raw(value.get());
    } else {
      row.varint(0);
    }
  }

  /** Decodes a read/write set. */
  public static RwSet rwSet(String txId, Bytes row) {
    ByteReader in = new ByteReader(row, "a read/write set");
    try {
      return rwSet(txId, in);
    } catch (IllegalArgumentException e) {
      throw in.damaged(String.valueOf(e.getMessage()));
    }
  }

  private static RwSet rwSet(String txId, ByteReader in) {
    int readCount = in.count();
    int writeCount = in.count();
    // A damaged count may be as large as the row: no room is taken before the things are there.
    List<RwSet.Read> reads = new ArrayList<>();
    for (int i = 0; i < readCount; i++) {
      reads.add(new RwSet.Read(in.text(), in.sized(), value(in)));
    }
    List<RwSet.Write> writes = new ArrayList<>();
    for (int i = 0; i < writeCount; i++) {
      writes.add(new RwSet.Write(in.text(), in.sized(), value(in)));
    }
    in.end();
    return new RwSet(txId, reads, writes);
  }

  private static Optional<Bytes> value(ByteReader in) {
    long sizePlusOne = in.varint();
    if (sizePlusOne > in.left() + 1L) {
      throw in.damaged("a value is longer than the row");
    }
    return sizePlusOne == 0 ? Optional.empty() : Optional.of(in.raw((int) sizePlusOne - 1));
  }
}
