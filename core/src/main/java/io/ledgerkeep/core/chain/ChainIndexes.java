package io.ledgerkeep.core.chain;

import io.ledgerkeep.Bytes;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.core.codec.StoredBlock;
import io.ledgerkeep.core.rows.RowHash;
import io.ledgerkeep.core.rows.RowScan;
import io.ledgerkeep.core.rows.RowWriter;
import io.ledgerkeep.error.IntegrityException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngine.Durability;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Compares the indexes of the block database with the blocks, and puts them right. Comparing serves
 * any number of threads.
 */
public final class ChainIndexes {

  private final StoredForm form;

  /** Works on the indexes of a block database. */
  public ChainIndexes(StoredForm form) {
    this.form = form;
  }

  /**
   * An entry that is to be put right.
   *
   * @param key its key
   * @param before what lies there, as it lies there, or empty
   * @param after what is to lie there, as it is to lie there, or empty where nothing is
   */
  public record Correction(Bytes key, Optional<Bytes> before, Optional<Bytes> after) {}

  /** Returns what is wrong with the entries that lead to a block and its transactions. */
  public List<Correction> wrongOf(MetaRow meta, StoredBlock block) {
    return wrongOf(entries(meta, block));
  }

  /** Returns the sum of the hashes of the entries that lead to a block and its transactions. */
  public static long sumOf(MetaRow meta, StoredBlock block, RowHash hash) {
    return entries(meta, block).stream()
        .mapToLong(entry -> hash.of(entry.key(), entry.value()))
        .sum();
  }

  /** Begins to add up the entries of both indexes. The caller closes what it gets. */
  public List<RowScan> sums(RowHash hash) {
    return Stream.of(ChainKeys.hashes(), ChainKeys.ids())
        .map(range -> new RowScan(form.below().scan(range), form.show(), hash))
        .toList();
  }

  private static List<Entry> entries(MetaRow meta, StoredBlock block) {
    List<Entry> expected = new ArrayList<>();
    long height = meta.meta().height();
    expected.add(
        new Entry(ChainKeys.hash(meta.meta().hash()), new ByteWriter(8).u64(height).take()));
    for (int i = 0; i < block.transactions().size(); i++) {
      String id = StoredBlock.transactionId(block.transactions().get(i).join());
      expected.add(new Entry(ChainKeys.id(id), new ByteWriter(12).u64(height).u32(i).take()));
    }
    return expected;
  }

  private List<Correction> wrongOf(List<Entry> expected) {
    List<Optional<Bytes>> found = form.below().getAll(expected.stream().map(Entry::key).toList());
    List<Correction> wrong = new ArrayList<>();
    for (int i = 0; i < expected.size(); i++) {
      Bytes key = expected.get(i).key();
      Bytes value = expected.get(i).value();
      if (!found.get(i).flatMap(stored -> shown(key, stored)).equals(Optional.of(value))) {
        wrong.add(new Correction(key, found.get(i), Optional.of(form.store().apply(key, value))));
      }
    }
    return wrong;
  }

  /** Returns the value, or empty where nobody can open it: then it is as wrong as any other. */
  private Optional<Bytes> shown(Bytes key, Bytes stored) {
    try {
      return Optional.of(form.show().apply(key, stored));
    } catch (IntegrityException damaged) {
      return Optional.empty();
    }
  }

  /** Returns what lets the next opening make the id filter anew, which is no entry of an index. */
  public List<Correction> forgottenFilter() {
    return form.below().get(ChainKeys.FILTER).stream()
        .map(found -> new Correction(ChainKeys.FILTER, Optional.of(found), Optional.empty()))
        .toList();
  }

  /** Returns whether a correction is one of an entry, not of the id filter's record. */
  public static boolean isEntry(Correction correction) {
    return !correction.key().equals(ChainKeys.FILTER);
  }

  /** Puts entries right; durable when it returns, and harmless when done again. */
  public void apply(List<Correction> corrections) {
    RowWriter writer = new RowWriter(form.below(), Integer.MAX_VALUE, Durability.DURABLE);
    for (Correction correction : corrections) {
      correction
          .after()
          .ifPresentOrElse(
              value -> writer.put(correction.key(), value), () -> writer.delete(correction.key()));
    }
    writer.write();
  }

  /**
   * Tells entries that lead to no block or transaction, once those of all blocks are right.
   *
   * @param blocks how many entries the index of hashes has to have
   * @param transactions how many entries the index of ids has to have
   * @param hashAt the hash of the block at a height, or empty where there is none
   * @param idAt the id of the transaction at a place, or empty where there is none
   * @throws IntegrityException if an index has fewer: then blocks share a hash or an id
   */
  public void surplus(
      long blocks,
      long transactions,
      Function<Long, Optional<Bytes>> hashAt,
      Function<ChainReader.Location, Optional<String>> idAt,
      Consumer<Correction> found) {
    surplus("hash", ChainKeys.hashes(), blocks, entry -> leadsToHash(entry, hashAt), found);
    surplus("transaction", ChainKeys.ids(), transactions, entry -> leadsToId(entry, idAt), found);
  }

  private record Entry(Bytes key, Bytes value) {}

  private static boolean leadsToHash(Entry entry, Function<Long, Optional<Bytes>> hashAt) {
    return entry.value().size() == Long.BYTES
        && hashAt
            .apply(entry.value().asBuffer().getLong())
            .equals(Optional.of(ChainKeys.indexed(entry.key())));
  }

  private static boolean leadsToId(
      Entry entry, Function<ChainReader.Location, Optional<String>> idAt) {
    return entry.value().size() == Long.BYTES + Integer.BYTES
        && idAt.apply(ChainReader.location(entry.value()))
            .map(Bytes::ofUtf8)
            .equals(Optional.of(ChainKeys.indexed(entry.key())));
  }

  private void surplus(
      String index,
      KeyRange range,
      long expected,
      Predicate<Entry> leadsHome,
      Consumer<Correction> found) {
    long left = count(range) - expected;
    if (left < 0) {
      throw new IntegrityException(
          "the %s index has %s entries too few although every block was found in it: blocks repeat what must be unique"
              .formatted(index, -left));
    }
    try (StorageEngine.Cursor cursor = form.below().scan(range)) {
      while (left > 0 && cursor.next()) {
        Bytes key = cursor.key();
        Bytes stored = cursor.value();
        if (!shown(key, stored)
            .filter(value -> leadsHome.test(new Entry(key, value)))
            .isPresent()) {
          found.accept(new Correction(key, Optional.of(stored), Optional.empty()));
          left--;
        }
      }
    }
  }

  private long count(KeyRange range) {
    long count = 0;
    try (StorageEngine.Cursor cursor = form.below().scan(range)) {
      while (cursor.next()) {
        count++;
      }
    }
    return count;
  }
}
