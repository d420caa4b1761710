package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.CloseableIterator;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.LedgerReader;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.LedgerReader.StateEntry;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A chain with the state and history it leads to, in the plainest way: what a ledger must tell. */
final class Replay {

  private final List<Block> blocks = new ArrayList<>();
  private final Map<String, TreeMap<Bytes, Bytes>> state = new TreeMap<>();
  private final Map<String, TreeMap<Bytes, List<HistoryEntry>>> history = new TreeMap<>();

  static Replay of(List<Block> blocks) {
    Replay replay = new Replay();
    blocks.forEach(replay::add);
    return replay;
  }

  long height() {
    return blocks.size() - 1;
  }

  void add(Block block) {
    blocks.add(block);
    for (int i = 0; i < block.rwSets().size(); i++) {
      // the later of two writes of a key in one transaction holds
      Map<Map.Entry<String, Bytes>, RwSet.Write> last = new java.util.LinkedHashMap<>();
      for (RwSet.Write write : block.rwSets().get(i).writes()) {
        last.put(Map.entry(write.namespace(), write.key()), write);
      }
      for (RwSet.Write write : last.values()) {
        apply(write, block.height(), i, block.transactions().get(i).id());
      }
    }
  }

  private void apply(RwSet.Write write, long height, int index, String txId) {
    TreeMap<Bytes, Bytes> values = state.computeIfAbsent(write.namespace(), n -> new TreeMap<>());
    write
        .value()
        .ifPresentOrElse(value -> values.put(write.key(), value), () -> values.remove(write.key()));
    history
        .computeIfAbsent(write.namespace(), n -> new TreeMap<>())
        .computeIfAbsent(write.key(), k -> new ArrayList<>())
        .add(0, new HistoryEntry(height, index, txId, write.value().isEmpty()));
  }

  /** Checks that the reader tells exactly this. */
  void assertToldBy(LedgerReader reader) {
    assertThat(reader.height()).isEqualTo(height());
    for (Block block : blocks) {
      assertToldBy(reader, block);
    }
    assertThat(reader.block(height() + 1)).isEmpty();
    assertThat(reader.meta(height() + 1)).isEmpty();
    assertThat(reader.block(-1)).isEmpty();
    history.forEach((namespace, keys) -> assertToldBy(reader, namespace, keys));
  }

  private static void assertToldBy(LedgerReader reader, Block block) {
    assertThat(reader.block(block.height())).contains(block);
    assertThat(reader.blockByHash(block.hash())).contains(block);
    assertThat(reader.meta(block.height()))
        .hasValueSatisfying(meta -> assertThat(meta.hash()).isEqualTo(block.hash()));
    assertThat(reader.metaByHash(block.hash())).isEqualTo(reader.meta(block.height()));
    for (int i = 0; i < block.transactions().size(); i++) {
      Transaction transaction = block.transactions().get(i);
      assertThat(reader.transaction(transaction.id())).contains(transaction);
      assertThat(reader.rwSet(transaction.id())).contains(block.rwSets().get(i));
      assertThat(reader.metaOfTransaction(transaction.id())).isEqualTo(reader.meta(block.height()));
    }
  }

  private void assertToldBy(
      LedgerReader reader, String namespace, TreeMap<Bytes, List<HistoryEntry>> keys) {
    TreeMap<Bytes, Bytes> values = state.getOrDefault(namespace, new TreeMap<>());
    try (CloseableIterator<StateEntry> entries = reader.scanState(namespace, KeyRange.all())) {
      Iterator<Map.Entry<Bytes, Bytes>> expected = values.entrySet().iterator();
      while (entries.hasNext()) {
        StateEntry entry = entries.next();
        assertThat(expected).as("keys of %s", namespace).hasNext();
        assertThat(Map.entry(entry.key(), entry.value())).isEqualTo(expected.next());
      }
      assertThat(expected).as("keys of %s", namespace).isExhausted();
    }
    keys.forEach(
        (key, entries) -> {
          assertThat(reader.state(namespace, key)).isEqualTo(Optional.ofNullable(values.get(key)));
          try (CloseableIterator<HistoryEntry> found = reader.history(namespace, key)) {
            assertThat(found).toIterable().isEqualTo(entries);
          }
        });
  }

  /** Checks that the reader knows nothing of blocks that were never committed. */
  static void assertUnknownTo(LedgerReader reader, List<Block> blocks) {
    for (Block block : blocks) {
      assertThat(reader.blockByHash(block.hash())).isEmpty();
      assertThat(reader.metaByHash(block.hash())).isEmpty();
      for (Transaction transaction : block.transactions()) {
        assertThat(reader.transaction(transaction.id())).isEmpty();
        assertThat(reader.rwSet(transaction.id())).isEmpty();
        assertThat(reader.metaOfTransaction(transaction.id())).isEmpty();
      }
    }
  }
}
