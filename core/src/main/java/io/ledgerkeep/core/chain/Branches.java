package io.ledgerkeep.core.chain;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.WriteBatch;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The heights that a ledger was set back to, by a roll back or because it was restored from a
 * backup, lowest first: blocks above may be others than before, also where their hashes are equal,
 * as a hash does not cover everything. What was set back again, as deep or deeper, is left out.
 */
public record Branches(List<Branch> list) {

  private static final int ID_BYTES = 8;

  /**
   * One time that a ledger was set back.
   *
   * @param height up to which it is what it was, or -1
   * @param id random
   */
  public record Branch(long height, Bytes id) {}

  /** Copies the list. */
  public Branches {
    list = List.copyOf(list);
  }

  /** Reads the record of a block database, given what reads values of it. */
  public static Branches of(Function<Bytes, Optional<Bytes>> block) {
    return block.apply(ChainKeys.BRANCHES).map(Branches::decode).orElse(new Branches(List.of()));
  }

  /** Adds to a batch that the ledger was set back to a height. */
  static void add(WriteBatch batch, StorageEngine block, long height) {
    byte[] id = new byte[ID_BYTES];
    new SecureRandom().nextBytes(id);
    List<Branch> branches = new ArrayList<>(of(block::get).list);
    branches.removeIf(branch -> branch.height() >= height);
    branches.add(new Branch(height, Bytes.wrap(id)));
    batch.put(ChainKeys.BRANCHES, new Branches(branches).encode());
  }

  /** Returns the id of the newest branch; empty bytes if the ledger was never set back. */
  public Bytes newest() {
    return list.isEmpty() ? Bytes.EMPTY : list.get(list.size() - 1).id();
  }

  /** Returns whether a height is what it was when the branch of the id was the newest. */
  public boolean reaches(long height, Bytes id) {
    int since = 0;
    if (!id.isEmpty()) {
      since = list.stream().map(Branch::id).toList().indexOf(id) + 1;
      if (since == 0) {
        return false; // it was set back deeper, or is a ledger that never had the branch
      }
    }
    return since == list.size() || list.get(since).height() >= height;
  }

  private Bytes encode() {
    ByteWriter out = new ByteWriter(list.size() * 2 * ID_BYTES);
    list.forEach(branch -> out.u64(branch.height() + 1).raw(branch.id()));
    return out.take();
  }

  private static Branches decode(Bytes record) {
    ByteReader in = new ByteReader(record, "the record of branches");
    List<Branch> branches = new ArrayList<>();
    while (in.left() > 0) {
      branches.add(new Branch(in.u64() - 1, in.raw(ID_BYTES)));
    }
    return new Branches(branches);
  }
}
