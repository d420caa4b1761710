package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.RwSet;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CommitRulesTest {

  private static final SampleChain CHAIN = SampleChain.ofSeed(3);

  @TempDir Path directory;
  private World world;
  private Ledger ledger;
  private final List<Block> blocks = CHAIN.blocks(40).toList();

  @BeforeEach
  void open() {
    world = new World(directory);
    ledger = world.open();
    ledger.commitAll(blocks.subList(0, 30));
  }

  @AfterEach
  void close() {
    ledger.close();
    world.disk.assertAllClosed();
  }

  /** What is refused changes nothing, and the next block is committed as if nothing had been. */
  private void assertRefused(Reason reason, Block block, String... words) {
    Map<Database, TreeMap<Bytes, Bytes>> before = world.content();
    assertThatExceptionOfType(ConflictException.class)
        .isThrownBy(() -> ledger.commit(block))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(reason))
        .satisfies(
            e ->
                assertThat(List.of(words))
                    .allSatisfy(word -> assertThat(e).hasMessageContaining(word)));
    assertThat(world.content()).isEqualTo(before);
    assertThat(ledger.height()).isEqualTo(29);
    assertThat(ledger.block(29)).contains(blocks.get(29));
    ledger.commitAll(blocks.subList(30, 32));
    Replay.of(blocks.subList(0, 32)).assertToldBy(ledger);
  }

  // ------------------------------------------------------------------------------------ refusals

  @Test
  void aHeightAboveTheNextIsRefused() {
    assertRefused(Reason.BLOCK, blocks.get(31), "next height is 30", "31");
  }

  @Test
  void aBlockThatDoesNotLinkIsRefused() {
    Blocks other = Blocks.like(blocks.get(30));
    other.previousHash = blocks.get(28).hash();
    assertRefused(
        Reason.BLOCK, other.build(), blocks.get(28).hash().hex(), blocks.get(29).hash().hex());
  }

  @Test
  void anotherBlockAtACommittedHeightIsRefused() {
    assertRefused(Reason.BLOCK, CHAIN.branch(29, 99).block(29), "height 29");
  }

  @Test
  void anotherBlockAtAnOldHeightIsRefused() {
    assertRefused(Reason.BLOCK, CHAIN.branch(4, 99).block(4), "height 4");
  }

  @Test
  void anotherGenesisIsRefused() {
    assertRefused(Reason.BLOCK, SampleChain.ofSeed(99).block(0), "height 0");
  }

  @Test
  void aBlockThatDiffersOnlyOutsideItsHashIsAnotherBlock() {
    Blocks other = Blocks.like(blocks.get(29));
    other.additional = Bytes.ofUtf8("other votes");
    assertRefused(Reason.BLOCK, other.build());
  }

  @Test
  void aBlockThatDiffersOnlyInAReadIsAnotherBlock() {
    Blocks other = Blocks.like(blocks.get(29));
    RwSet set = other.rwSets.get(0);
    List<RwSet.Read> reads = new ArrayList<>(set.reads());
    reads.add(new RwSet.Read("n", Bytes.EMPTY, Optional.empty()));
    other.rwSets.set(0, new RwSet(set.txId(), reads, set.writes()));
    assertRefused(Reason.BLOCK, other.build());
  }

  @Test
  void anIdTwiceInOneBlockIsRefused() {
    Blocks next = Blocks.like(blocks.get(30)).transaction("twice", Bytes.EMPTY);
    assertRefused(
        Reason.DUPLICATE_TRANSACTION, next.transaction("twice", Bytes.EMPTY).build(), "'twice'");
  }

  @Test
  void anIdOfTheNewestBlockIsRefused() {
    String id = blocks.get(29).transactions().get(0).id();
    assertRefused(
        Reason.DUPLICATE_TRANSACTION,
        Blocks.like(blocks.get(30)).transaction(id, Bytes.EMPTY).build(),
        id);
  }

  @Test
  void anIdOfTheGenesisBlockIsRefused() {
    String id = blocks.get(0).transactions().get(0).id();
    assertRefused(
        Reason.DUPLICATE_TRANSACTION,
        Blocks.like(blocks.get(30)).transaction(id, Bytes.EMPTY).build(),
        id);
  }

  @Test
  void theHashOfAnEarlierBlockIsRefused() {
    Blocks next = Blocks.like(blocks.get(30));
    next.hash = blocks.get(7).hash();
    assertRefused(Reason.BLOCK, next.build(), next.hash.hex());
    assertThat(ledger.blockByHash(blocks.get(7).hash())).contains(blocks.get(7));
  }

  @Test
  void whatIsRefusedDoesNotBurnItsIds() {
    Blocks next = Blocks.like(blocks.get(30));
    next.previousHash = Bytes.EMPTY;
    assertRefused(Reason.BLOCK, next.build());
    Blocks twice = Blocks.after(blocks.get(31)).transaction("a", Bytes.EMPTY);
    Block refused = twice.transaction("a", Bytes.EMPTY).build();
    assertThatExceptionOfType(ConflictException.class).isThrownBy(() -> ledger.commit(refused));
    ledger.commit(Blocks.after(blocks.get(31)).transaction("a", Bytes.EMPTY).build());
    assertThat(ledger.transaction("a")).isPresent();
  }

  @Test
  void aBlockAboveTheLimitIsRefused() {
    Bytes large = Bytes.wrap(new byte[Transaction.MAX_PAYLOAD_BYTES]);
    Blocks next = Blocks.like(blocks.get(30));
    for (int i = 0; i < 9; i++) {
      next.transaction("large " + i, large);
    }
    Map<Database, TreeMap<Bytes, Bytes>> before = world.content();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ledger.commit(next.build()))
        .withMessageContaining(Long.toString(Block.MAX_BYTES));
    assertThat(world.content()).isEqualTo(before);
    ledger.commit(blocks.get(30));
  }

  // ------------------------------------------------------------------------------------ once more

  @Test
  void anEqualBlockAgainChangesNothing() {
    Map<Database, TreeMap<Bytes, Bytes>> before = world.content();
    for (int height : new int[] {29, 28, 25, 10, 0}) {
      ledger.commit(blocks.get(height));
      ledger.commit(Blocks.like(blocks.get(height)).build());
    }
    ledger.commitAll(blocks.subList(0, 30));
    ledger.commitAll(blocks.subList(27, 30));
    assertThat(world.content()).isEqualTo(before);
    assertThat(ledger.height()).isEqualTo(29);
  }

  @Test
  void anImportThatIsRunAgainGoesOnWhereItEnded() {
    ledger.commitAll(blocks);
    ledger.commitAll(blocks);
    Replay.of(blocks).assertToldBy(ledger);
  }

  @Test
  void theSameBlockTwiceInOneBatchIsCommittedOnce() {
    Block next = blocks.get(30);
    ledger.commitAll(List.of(next, next, blocks.get(31), next, blocks.get(31), blocks.get(0)));
    Replay.of(blocks.subList(0, 32)).assertToldBy(ledger);
  }

  @Test
  void noBlocksAreNoCommit() {
    Map<Database, TreeMap<Bytes, Bytes>> before = world.content();
    ledger.commitAll(List.of());
    assertThat(world.content()).isEqualTo(before);
  }

  // ------------------------------------------------------------------------------------ batches

  /** The good blocks before a refused one are committed, whatever it is refused for. */
  private void assertPrefixCommitted(Block bad, Class<? extends RuntimeException> refusal) {
    List<Block> batch = new ArrayList<>(blocks.subList(30, 33));
    batch.add(bad);
    batch.add(blocks.get(33));
    assertThatExceptionOfType(refusal).isThrownBy(() -> ledger.commitAll(batch));
    Replay.of(blocks.subList(0, 33)).assertToldBy(ledger);
    ledger.close();
    ledger = world.open();
    Replay.of(blocks.subList(0, 33)).assertToldBy(ledger);
    ledger.commit(blocks.get(33));
  }

  @Test
  void theGoodBlocksBeforeAGapAreCommitted() {
    assertPrefixCommitted(blocks.get(35), ConflictException.class);
  }

  @Test
  void theGoodBlocksBeforeOneThatDoesNotLinkAreCommitted() {
    assertPrefixCommitted(CHAIN.branch(32, 99).block(33), ConflictException.class);
  }

  @Test
  void theGoodBlocksBeforeAnotherOneAtTheirHeightAreCommitted() {
    assertPrefixCommitted(CHAIN.branch(31, 99).block(31), ConflictException.class);
  }

  @Test
  void theGoodBlocksBeforeAnIdOfTheBatchAreCommitted() {
    Block repeating =
        Blocks.after(blocks.get(32))
            .transaction(blocks.get(30).transactions().get(0).id(), Bytes.EMPTY)
            .build();
    assertPrefixCommitted(repeating, ConflictException.class);
  }

  @Test
  void theGoodBlocksBeforeAHashOfTheBatchAreCommitted() {
    Blocks repeating = Blocks.after(blocks.get(32));
    repeating.hash = blocks.get(31).hash();
    assertPrefixCommitted(repeating.build(), ConflictException.class);
  }

  @Test
  void theGoodBlocksBeforeOneThatIsTooLargeAreCommitted() {
    Bytes large = Bytes.wrap(new byte[Transaction.MAX_PAYLOAD_BYTES]);
    Blocks next = Blocks.after(blocks.get(32));
    for (int i = 0; i < 9; i++) {
      next.transaction("large " + i, large);
    }
    assertPrefixCommitted(next.build(), IllegalArgumentException.class);
  }

  // ------------------------------------------------------------------------------------ beginning

  @Test
  void aChainBeginsWithAnyGenesisBlockAndNothingElse() {
    World fresh = new World(directory.resolve("fresh"));
    try (Ledger empty = fresh.open()) {
      assertThat(empty.height()).isEqualTo(-1);
      assertThat(empty.block(0)).isEmpty();
      assertThat(empty.archivedHeight()).isZero();
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> empty.commit(blocks.get(1)))
          .withMessageContaining("next height is 0");
      Blocks genesis = Blocks.genesis();
      genesis.previousHash = Bytes.ofUtf8("of another world");
      genesis.transaction("first", Bytes.EMPTY);
      empty.commit(genesis.build());
      assertThat(empty.block(0)).contains(genesis.build());
    }
    try (Ledger again = fresh.open()) {
      assertThat(again.height()).isZero();
      assertThat(again.transaction("first")).isPresent();
    }
  }

  @Test
  void anEmptyLedgerOpensAgain() {
    World fresh = new World(directory.resolve("fresh"));
    fresh.open().close();
    try (Ledger empty = fresh.open()) {
      assertThat(empty.height()).isEqualTo(-1);
      assertThat(empty.status().derivedThrough()).isEqualTo(-1);
      assertThat(empty.status().genesisHash()).isEqualTo(Bytes.EMPTY);
    }
  }

  // ------------------------------------------------------------------------------------ limits

  /** Everything at its limit, on the smallest engine there may be. */
  @Test
  void whateverTheApiAllowsIsCommittedAndComesBack() {
    World small = new World(directory.resolve("small"));
    small.limits = InMemoryStorage.SMALLEST_LIMITS;
    List<Block> chain = extremes();
    Replay expected = Replay.of(chain);
    try (Ledger limited = small.open()) {
      chain.forEach(limited::commit);
      expected.assertToldBy(limited);
    }
    try (Ledger limited = small.open()) {
      expected.assertToldBy(limited);
    }
    World other = new World(directory.resolve("other"));
    other.limits = InMemoryStorage.SMALLEST_LIMITS;
    try (Ledger limited = other.open()) {
      limited.commitAll(chain);
      expected.assertToldBy(limited);
    }
  }

  private static List<Block> extremes() {
    Blocks genesis = Blocks.genesis();
    genesis.header = Blocks.noise(1, 200_000);
    genesis.additional = Blocks.noise(2, 150_000);
    genesis.hash = Blocks.noise(3, 64);
    List<Block> chain = new ArrayList<>(List.of(genesis.build()));
    String longId = "\uD83D\uDE00".repeat(256);
    String longNamespace = "n".repeat(RwSet.MAX_KEY_BYTES);
    Bytes longKey = Blocks.noise(4, RwSet.MAX_KEY_BYTES);
    Bytes value = Blocks.noise(5, 300_000);
    Blocks writes =
        Blocks.after(genesis.build())
            .transaction(longId, Blocks.noise(6, 400_000))
            .put("a", longNamespace, Bytes.EMPTY, value)
            .put("b", "", longKey, value)
            .put("c", "", Bytes.EMPTY, Bytes.EMPTY)
            .put("?", "?", Bytes.EMPTY, value);
    chain.add(writes.build());
    Blocks deletes =
        Blocks.after(writes.build())
            .delete("d", longNamespace, Bytes.EMPTY)
            .put("e", "", longKey, Bytes.EMPTY);
    chain.add(deletes.build());
    Blocks many = Blocks.after(deletes.build());
    for (int i = 0; i < 500; i++) {
      many.put("many " + i, "many", Blocks.noise(i, 2), Blocks.noise(i, i));
    }
    chain.add(many.build());
    Blocks empty = Blocks.after(many.build());
    empty.kind = Block.Kind.CONFIG;
    chain.add(empty.build());
    return chain;
  }

  @Test
  void aTextThatIsNoneIsNotTakenForAnother() {
    Blocks next = Blocks.after(blocks.get(29)).put("a?", "?", Bytes.EMPTY, Bytes.EMPTY);
    ledger.commit(next.build());
    assertThat(ledger.transaction("a?")).isPresent();
    assertThat(ledger.state("?", Bytes.EMPTY)).isPresent();
    for (String half : List.of("\uD83D", "\uDE00")) {
      assertThat(ledger.transaction("a" + half)).isEmpty();
      assertThat(ledger.rwSet("a" + half)).isEmpty();
      assertThat(ledger.metaOfTransaction("a" + half)).isEmpty();
      assertThat(ledger.state(half, Bytes.EMPTY)).isEmpty();
      try (var entries = ledger.scanState(half, io.ledgerkeep.KeyRange.all());
          var history = ledger.history(half, Bytes.EMPTY)) {
        assertThat(entries).isExhausted();
        assertThat(history).isExhausted();
      }
    }
  }

  @Test
  void whatCannotBeInTheLedgerIsNotFound() {
    assertThat(ledger.transaction("")).isEmpty();
    assertThat(ledger.transaction("x".repeat(100_000))).isEmpty();
    assertThat(ledger.blockByHash(Bytes.EMPTY)).isEmpty();
    assertThat(ledger.metaByHash(Blocks.noise(1, 100_000))).isEmpty();
    assertThat(ledger.block(Long.MAX_VALUE)).isEmpty();
    assertThat(ledger.block(Long.MIN_VALUE)).isEmpty();
    assertThat(ledger.state("n".repeat(70_000), Bytes.EMPTY)).isEmpty();
    assertThat(ledger.state("n", Blocks.noise(1, 70_000))).isEmpty();
    try (var history = ledger.history("n", Blocks.noise(1, 70_000))) {
      assertThat(history).isExhausted();
    }
  }
}
