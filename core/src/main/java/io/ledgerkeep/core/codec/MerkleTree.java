package io.ledgerkeep.core.codec;

import io.ledgerkeep.Bytes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * The Merkle tree of RFC 6962, fed leaf by leaf: a leaf is {@code H(00 ‖ bytes)}, a node {@code
 * H(01 ‖ left ‖ right)}, an odd node is taken up unchanged, the tree of no leaves is {@code H()}.
 * Keeps one digest per level. For one thread.
 */
public final class MerkleTree {

  private final MessageDigest digest;
  private final List<Bytes> pending = new ArrayList<>();
  private long leaves;

  /** Begins an empty tree; the digest may be used for other things between two calls. */
  public MerkleTree(MessageDigest digest) {
    this.digest = digest;
  }

  /** Returns the leaf of the bytes. */
  public static Bytes leaf(MessageDigest digest, Rope bytes) {
    digest.update((byte) 0);
    bytes.digestInto(digest);
    return Bytes.wrap(digest.digest());
  }

  /** Returns the root over leaves that are at hand. */
  public static Bytes root(MessageDigest digest, Iterable<Bytes> leaves) {
    MerkleTree tree = new MerkleTree(digest);
    leaves.forEach(tree::add);
    return tree.root();
  }

  /** Adds the next leaf. */
  public void add(Bytes leaf) {
    Bytes node = leaf;
    // As many trailing ones the count has, so many complete trees of growing size wait.
    for (long complete = leaves; (complete & 1) == 1; complete >>>= 1) {
      node = node(pending.remove(pending.size() - 1), node);
    }
    pending.add(node);
    leaves++;
  }

  /** Returns the root over the leaves added so far. */
  public Bytes root() {
    if (pending.isEmpty()) {
      return Bytes.wrap(digest.digest());
    }
    Bytes node = pending.get(pending.size() - 1);
    for (int i = pending.size() - 2; i >= 0; i--) {
      node = node(pending.get(i), node);
    }
    return node;
  }

  private Bytes node(Bytes left, Bytes right) {
    digest.update((byte) 1);
    left.digestInto(digest);
    right.digestInto(digest);
    return Bytes.wrap(digest.digest());
  }
}
