package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.LedgerReader.HistoryEntry;
import io.ledgerkeep.LedgerView;
import io.ledgerkeep.core.codec.ByteWriter;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Heights have 64 bits: nothing anywhere cuts them to fewer, or takes them for negative. */
final class HighHeightsTest {

  private static final Bytes KEY = Bytes.ofUtf8("key");

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      longs = {
        254,
        65_534,
        (1L << 31) - 3,
        (1L << 32) - 3,
        (1L << 40) + 5,
        (1L << 56) - 2,
        Long.MAX_VALUE - 6
      })
  void aChainOfAnyHeightGoesOn(long height) {
    World world = new World(directory);
    Block genesis = Blocks.genesis().put("at genesis", "n", KEY, KEY).build();
    try (Ledger ledger = world.open()) {
      ledger.commit(genesis);
    }
    raise(world, height);
    List<Block> more = following(genesis, height, 6);
    try (Ledger ledger = world.open()) {
      assertThat(ledger.height()).isEqualTo(height);
      more.subList(0, 2).forEach(ledger::commit);
      ledger.commitAll(more.subList(2, 4));
      assertTold(ledger, more.subList(0, 4));
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> ledger.commit(more.get(5)))
          .withMessageContaining(Long.toString(height + 5));
    }
    try (Ledger ledger = world.open()) {
      ledger.commitAll(more);
      assertTold(ledger, more);
      try (LedgerView view = ledger.view()) {
        assertThat(view.height()).isEqualTo(height + 6);
        assertThat(view.block(height + 6)).contains(more.get(5));
      }
    }
    world.disk.assertAllClosed();
  }

  /** A crash takes what is buffered, and the opening finds its way back at any height. */
  @ParameterizedTest
  @ValueSource(longs = {(1L << 32) - 3})
  void aChainOfAnyHeightSurvivesACrash(long height) {
    World world = new World(directory);
    Block genesis = Blocks.genesis().put("at genesis", "n", KEY, KEY).build();
    try (Ledger ledger = world.open()) {
      ledger.commit(genesis);
    }
    raise(world, height);
    List<Block> more = following(genesis, height, 6);
    Ledger lost = world.open();
    more.forEach(lost::commit);
    world.crash(lost);
    try (Ledger ledger = world.open()) {
      assertTold(ledger, more);
    }
  }

  private static void assertTold(Ledger ledger, List<Block> blocks) {
    Block newest = blocks.get(blocks.size() - 1);
    assertThat(ledger.height()).isEqualTo(newest.height());
    List<HistoryEntry> expected = new ArrayList<>();
    for (Block block : blocks) {
      assertThat(ledger.block(block.height())).contains(block);
      assertThat(ledger.blockByHash(block.hash())).contains(block);
      assertThat(ledger.metaOfTransaction("t" + block.height()))
          .isEqualTo(ledger.meta(block.height()));
      assertThat(ledger.transaction("t" + block.height())).contains(block.transactions().get(0));
      expected.add(new HistoryEntry(block.height(), 0, "t" + block.height(), false));
    }
    Collections.reverse(expected);
    expected.add(new HistoryEntry(0, 0, "at genesis", false));
    assertThat(ledger.state("n", KEY)).contains(Bytes.ofUtf8("at " + newest.height()));
    try (var history = ledger.history("n", KEY)) {
      assertThat(history).toIterable().isEqualTo(expected);
    }
  }

  private static List<Block> following(Block genesis, long height, int count) {
    List<Block> blocks = new ArrayList<>();
    Bytes previous = genesis.hash();
    for (int i = 1; i <= count; i++) {
      long h = height + i;
      Blocks next = Blocks.after(genesis).put("t" + h, "n", KEY, Bytes.ofUtf8("at " + h));
      next.height = h;
      next.hash = Bytes.ofUtf8("hash " + h);
      next.previousHash = previous;
      blocks.add(next.build());
      previous = next.hash;
    }
    return blocks;
  }

  /** Writes the records as if so many blocks had been committed: the newest is like genesis. */
  private static void raise(World world, long height) {
    Bytes number = new ByteWriter(8).u64(height).take();
    world.withStore(
        Database.BLOCK,
        engine -> {
          byte[] row = engine.get(meta(0)).orElseThrow().toArray();
          row[0] = 2; // a normal block: only one is genesis
          engine.write(
              new WriteBatch()
                  .put(meta(height), Bytes.wrap(row))
                  .put(Bytes.ofUtf8("\u0001last"), number)
                  .put(Bytes.ofUtf8("\u0001derived"), number)
                  .put(
                      Bytes.ofUtf8("\u0001filter"),
                      new ByteWriter(20).u64(height).u32(1).u64(2).take()),
              Durability.DURABLE);
        });
    for (Database database : List.of(Database.STATE, Database.HISTORY)) {
      world.withStore(
          database,
          engine ->
              engine.write(
                  new WriteBatch().put(Bytes.ofUtf8("\u0001height"), number), Durability.DURABLE));
    }
  }

  private static Bytes meta(long height) {
    return new ByteWriter(9).u8(2).u64(height).take();
  }
}
