package io.ledgerkeep.core.segment;

import com.google.common.primitives.ImmutableIntArray;
import io.ledgerkeep.BlockMeta;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.core.codec.BlockDigests;
import io.ledgerkeep.core.codec.ByteReader;
import io.ledgerkeep.core.codec.Digests;
import io.ledgerkeep.core.codec.Rope;
import io.ledgerkeep.core.codec.RopeWriter;
import io.ledgerkeep.core.codec.StoredBlock;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * A few blocks in a row with all that a segment says of them: what takes time to compute, so that
 * any thread can do it before the blocks are put in order. The writer stores it; a check compares
 * it with what is stored. Immutable.
 */
public final class BlockGroup {

  /** The most blocks that a group should have. */
  public static final int MAX_BLOCKS = 256;

  /** How many bytes of bodies make a group full. */
  public static final long FULL_BYTES = 256 << 10;

  private final List<Entry> entries;
  private final ImmutableIntArray idFingerprints;
  private final Rope index;
  private final Rope lengths;
  private final Rope leaves;

  private BlockGroup(Builder builder) {
    entries = List.copyOf(builder.entries);
    idFingerprints = builder.idFingerprints.build();
    index = builder.index.take();
    lengths = builder.lengths.take();
    leaves = builder.leaves.take();
  }

  /** A block and what sums it up. */
  record Entry(StoredBlock block, BlockMeta meta, Bytes recordDigest, int hashFingerprint) {}

  List<Entry> entries() {
    return entries;
  }

  /** Returns what the locator finds the transactions by, in order. */
  ImmutableIntArray idFingerprints() {
    return idFingerprints;
  }

  /** Returns what the stream of that name holds of the blocks. */
  Rope index() {
    return index;
  }

  /** Returns what the stream of row lengths holds of the blocks. */
  Rope lengths() {
    return lengths;
  }

  /** Returns what the stream of that name holds of the blocks. */
  Rope leaves() {
    return leaves;
  }

  /** Returns the metas of the blocks, as computed from their bytes. */
  public List<BlockMeta> metas() {
    return entries.stream().map(Entry::meta).toList();
  }

  /** Computes what belongs to a group. For one thread. */
  public static final class Builder {

    private final MessageDigest digest;
    private final Fingerprint fingerprint;
    private final List<Entry> entries = new ArrayList<>();
    private final ImmutableIntArray.Builder idFingerprints = ImmutableIntArray.builder();
    private final RopeWriter index = new RopeWriter(1 << 10);
    private final RopeWriter lengths = new RopeWriter(1 << 10);
    private final RopeWriter leaves = new RopeWriter(1 << 14);

    /** Begins a group. */
    public Builder(Digests digests) {
      this(digests, Fingerprint.DIGEST);
    }

    Builder(Digests digests, Fingerprint fingerprint) {
      digest = digests.newDigest();
      this.fingerprint = fingerprint;
    }

    /** Adds the next block; returns its meta, computed from its bytes. */
    public BlockMeta add(StoredBlock block) {
      return add(block, BlockDigests.of(block, digest));
    }

    BlockMeta add(StoredBlock block, BlockDigests digests) {
      BlockMeta meta = digests.meta(block);
      entries.add(
          new Entry(
              block,
              meta,
              BlockDigests.recordDigest(meta, digest),
              fingerprint.of(digest, block.head().hash())));
      long lengthBytes = 0;
      long rowBytes = 0;
      int count = block.transactions().size();
      for (int i = 0; i < count; i++) {
        Rope transaction = block.transactions().get(i);
        long rwSetBytes = block.rwSets().get(i).size();
        idFingerprints.add(fingerprint.of(digest, idOf(transaction)));
        lengths.varint(transaction.size()).varint(rwSetBytes);
        leaves.raw(digests.transactionLeaves().get(i)).raw(digests.rwSetLeaves().get(i));
        lengthBytes +=
            BlockEncoder.varintBytes(transaction.size()) + BlockEncoder.varintBytes(rwSetBytes);
        rowBytes += transaction.size() + rwSetBytes;
      }
      index.varint(BlockEncoder.prefixBytes(block)).varint(lengthBytes + rowBytes);
      index.varint(count).varint(lengthBytes);
      return meta;
    }

    /** Returns the group. */
    public BlockGroup build() {
      return new BlockGroup(this);
    }

    /** Returns the id of a transaction without decoding the rest of its row. */
    private static Bytes idOf(Rope row) {
      ByteReader first = new ByteReader(row.parts().get(0), "a transaction");
      long size = first.varint();
      return size <= first.left()
          ? first.raw((int) size)
          : new ByteReader(row.join(), "a transaction").sized();
    }
  }
}
