package io.ledgerkeep.testkit;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.storage.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What one directory of a {@link MemoryDisk} holds: its content now, and what a crash would leave
 * of it. Readers take {@link #moment} without a lock; everything else is guarded by the lock of the
 * disk.
 */
final class MemoryStore {

  /** The content after a number of changes. */
  record Moment(SortedTree tree, long change) {}

  private record Change(boolean buffered, UnaryOperator<SortedTree> effect) {}

  private volatile Moment moment = new Moment(SortedTree.EMPTY, 0);
  private Optional<MemoryEngine> opener = Optional.empty();
  private boolean unreadable;

  /** What no crash takes; {@link #unsafe} leads from here to the present. */
  private SortedTree safe = SortedTree.EMPTY;

  /** Empty, or beginning with a buffered change; durable ones behind it survive without it. */
  private final List<Change> unsafe = new ArrayList<>();

  private final Garbage garbage = new Garbage();

  /** Returns a store that holds the same, written durably. */
  MemoryStore copy() {
    MemoryStore copy = new MemoryStore();
    copy.moment = moment;
    copy.flush();
    return copy;
  }

  Moment moment() {
    return moment;
  }

  Optional<MemoryEngine> opener() {
    return opener;
  }

  void openedBy(MemoryEngine engine) {
    opener = Optional.of(engine);
  }

  void closed() {
    opener = Optional.empty();
  }

  boolean isUnreadable() {
    return unreadable;
  }

  void makeUnreadable() {
    unreadable = true;
  }

  /** Returns what the store takes on the disk. */
  long bytes() {
    return moment.tree.bytes() + garbage.bytes();
  }

  void write(WriteBatch batch, boolean buffered) {
    batch.forEach(new Bury());
    change(buffered, tree -> apply(batch, tree));
  }

  void flush() {
    safe = moment.tree;
    unsafe.clear();
  }

  void compact(KeyRange range, long oldestMoment) {
    garbage.release(range, oldestMoment);
  }

  /** Replaces the value at the key by one that must not be served; returns whether there is one. */
  boolean damage(Bytes key) {
    boolean present = moment.tree.get(key).isPresent();
    change(
        false,
        tree ->
            tree.get(key)
                .map(entry -> tree.with(new SortedTree.Entry(key, entry.value(), true)))
                .orElse(tree));
    return present;
  }

  /** Returns how many changes a crash may take. */
  int bufferedChanges() {
    return (int) unsafe.stream().filter(Change::buffered).count();
  }

  /** Forgets all buffered changes but so many of the oldest. */
  void keepBuffered(int survivors) {
    SortedTree tree = safe;
    int left = survivors;
    for (Change change : unsafe) {
      if (!change.buffered || left-- > 0) {
        tree = change.effect.apply(tree);
      }
    }
    moment = new Moment(tree, moment.change + 1);
    flush();
  }

  private void change(boolean buffered, UnaryOperator<SortedTree> effect) {
    moment = new Moment(effect.apply(moment.tree), moment.change + 1);
    if (buffered || !unsafe.isEmpty()) {
      unsafe.add(new Change(buffered, effect));
    } else {
      safe = moment.tree;
    }
  }

  private static SortedTree apply(WriteBatch batch, SortedTree before) {
    Apply apply = new Apply(before);
    batch.forEach(apply);
    return apply.tree;
  }

  private static final class Apply implements WriteBatch.Visitor {

    private SortedTree tree;

    private Apply(SortedTree tree) {
      this.tree = tree;
    }

    @Override
    public void put(Bytes key, Bytes value) {
      tree = tree.with(new SortedTree.Entry(key, value, false));
    }

    @Override
    public void delete(Bytes key) {
      tree = tree.without(key);
    }
  }

  /** Counts what a batch leaves behind: the entries that it replaces, and its own deletions. */
  private final class Bury implements WriteBatch.Visitor {

    private final long change = moment.change + 1;

    @Override
    public void put(Bytes key, Bytes value) {
      moment.tree.get(key).ifPresent(replaced -> garbage.add(key, replaced.bytes(), change));
    }

    @Override
    public void delete(Bytes key) {
      put(key, Bytes.EMPTY);
      garbage.add(key, key.size() + SortedTree.ENTRY_OVERHEAD_BYTES, change);
    }
  }
}
