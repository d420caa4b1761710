package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * An immutable ordered map. A change makes a new map that shares all but a few nodes with the old
 * one, so that a moment of the store is kept by keeping a reference.
 *
 * <p>A treap: ordered by key downwards left and right, and by random priorities from the root down,
 * which keeps it about balanced.
 */
final class SortedTree {

  static final SortedTree EMPTY = new SortedTree();

  /** What stands for the framing of an entry in every size. */
  static final int ENTRY_OVERHEAD_BYTES = 16;

  /** A key with its value; a damaged one must not be served. */
  record Entry(Bytes key, Bytes value, boolean damaged) {

    long bytes() {
      return (long) key.size() + value.size() + ENTRY_OVERHEAD_BYTES;
    }
  }

  private final Entry entry;
  private final int priority;
  private final SortedTree left;
  private final SortedTree right;
  private final long bytes;

  /** Creates the empty tree, which is its own child so that no child is ever null. */
  private SortedTree() {
    entry = new Entry(Bytes.EMPTY, Bytes.EMPTY, false);
    priority = Integer.MIN_VALUE;
    left = this;
    right = this;
    bytes = 0;
  }

  private SortedTree(Entry entry, int priority, SortedTree left, SortedTree right) {
    this.entry = entry;
    this.priority = priority;
    this.left = left;
    this.right = right;
    this.bytes = entry.bytes() + left.bytes + right.bytes;
  }

  boolean isEmpty() {
    return this == EMPTY;
  }

  /** Returns the size of all entries, in bytes. */
  long bytes() {
    return bytes;
  }

  Optional<Entry> get(Bytes key) {
    SortedTree node = this;
    while (!node.isEmpty()) {
      int order = key.compareTo(node.entry.key());
      if (order == 0) {
        return Optional.of(node.entry);
      }
      node = order < 0 ? node.left : node.right;
    }
    return Optional.empty();
  }

  SortedTree with(Entry added) {
    if (isEmpty()) {
      return new SortedTree(added, ThreadLocalRandom.current().nextInt(), EMPTY, EMPTY);
    }
    int order = added.key().compareTo(entry.key());
    if (order == 0) {
      return new SortedTree(added, priority, left, right);
    }
    return order < 0 ? withLeft(left.with(added)) : withRight(right.with(added));
  }

  private SortedTree withLeft(SortedTree child) {
    return child.priority <= priority
        ? new SortedTree(entry, priority, child, right)
        : new SortedTree(
            child.entry, child.priority, child.left, replaceChildren(child.right, right));
  }

  private SortedTree withRight(SortedTree child) {
    return child.priority <= priority
        ? new SortedTree(entry, priority, left, child)
        : new SortedTree(
            child.entry, child.priority, replaceChildren(left, child.left), child.right);
  }

  private SortedTree replaceChildren(SortedTree newLeft, SortedTree newRight) {
    return new SortedTree(entry, priority, newLeft, newRight);
  }

  SortedTree without(Bytes key) {
    if (isEmpty()) {
      return this;
    }
    int order = key.compareTo(entry.key());
    if (order == 0) {
      return join(left, right);
    }
    return order < 0
        ? replaceChildren(left.without(key), right)
        : replaceChildren(left, right.without(key));
  }

  /** Joins two trees of which every key of the first is below every key of the second. */
  private static SortedTree join(SortedTree lower, SortedTree upper) {
    if (lower.isEmpty()) {
      return upper;
    }
    if (upper.isEmpty()) {
      return lower;
    }
    return lower.priority > upper.priority
        ? lower.replaceChildren(lower.left, join(lower.right, upper))
        : upper.replaceChildren(join(lower, upper.left), upper.right);
  }

  /** Returns the entries of the range in the order of their keys. */
  Walk walk(KeyRange range) {
    return new Walk(this, range);
  }

  /** Steps through the entries of a range. For one thread at a time. */
  static final class Walk {

    private final KeyRange range;
    private final Deque<SortedTree> path = new ArrayDeque<>();

    private Walk(SortedTree root, KeyRange range) {
      this.range = range;
      SortedTree node = root;
      while (!node.isEmpty()) {
        if (node.entry.key().compareTo(range.from()) >= 0) {
          path.push(node);
          node = node.left;
        } else {
          node = node.right;
        }
      }
    }

    /** Returns the next entry, or empty after the last. */
    Optional<Entry> next() {
      if (path.isEmpty() || !range.contains(path.element().entry.key())) {
        path.clear();
        return Optional.empty();
      }
      SortedTree node = path.pop();
      for (SortedTree below = node.right; !below.isEmpty(); below = below.left) {
        path.push(below);
      }
      return Optional.of(node.entry);
    }
  }
}
