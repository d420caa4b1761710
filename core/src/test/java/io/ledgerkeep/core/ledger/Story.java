package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.storage.StorageEngine.Durability;
import io.ledgerkeep.storage.WriteBatch;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A node's life with a ledger, by a seed: it commits one by one and in batches, repeats itself, is
 * refused, and starts anew. Tells what was acknowledged when something ends it, and what must lie
 * on the engines of a ledger of each height.
 *
 * <p>The engines have the smallest limits, so that most blocks do not fit in one batch and some
 * rows have several pieces; checkpoints are frequent.
 */
final class Story {

  /** The blocks of the story, and others of the same heights that repeat their ids. */
  static final class Script {

    final List<Block> blocks;
    private final Path directory;
    private final Map<Database, TreeMap<Bytes, Bytes>> beginning;
    private final List<Map<Database, TreeMap<Bytes, Bytes>>> contents = new ArrayList<>();

    /** Plays the story once without any trouble. */
    Script(Path directory, int count) {
      this.directory = directory;
      this.blocks = chain(count);
      World world = new World(directory);
      world.limits = InMemoryStorage.SMALLEST_LIMITS;
      try (Ledger ledger = world.open()) {
        beginning = world.content();
        for (Block block : blocks) {
          ledger.commit(block);
          contents.add(comparable(world.content()));
        }
      }
    }

    private static List<Block> chain(int count) {
      SampleChain sample =
          SampleChain.builder()
              .seed(9)
              .transactionsPerBlock(2)
              .writesPerTransaction(2)
              .payloadBytes(40)
              .valueBytes(20)
              .additionalBytes(10)
              .keys(15)
              .configAt(height -> height % 8 == 5)
              .build();
      List<Block> chain = new ArrayList<>();
      sample.blocks(count).forEach(block -> chain.add(relinked(chain, enlarged(block))));
      return chain;
    }

    /** Every sixth block has rows in several pieces, which the next ones overwrite and delete. */
    private static Blocks enlarged(Block block) {
      Blocks blocks = Blocks.like(block);
      long h = block.height();
      Bytes key = Bytes.ofUtf8("large");
      switch ((int) (h % 6)) {
        case 1 -> blocks.put("L" + h, "token", key, Blocks.noise(h, 62 << 11));
        case 2 -> blocks.put("L" + h, "token", key, Blocks.noise(h, 70_000));
        case 3 -> blocks.delete("L" + h, "token", key);
        case 4 -> blocks.transaction("L" + h, Blocks.noise(h, 130_000));
        default -> blocks.header = Blocks.noise(h, h % 12 == 6 ? 140_000 : 10);
      }
      return blocks;
    }

    private static Block relinked(List<Block> chain, Blocks next) {
      if (!chain.isEmpty()) {
        next.previousHash = chain.get(chain.size() - 1).hash();
      }
      return next.build();
    }

    /** Returns a world in which the ledger is as it was made, without blocks. */
    World world(long seed) {
      World world = new World(directory, seed);
      world.limits = InMemoryStorage.SMALLEST_LIMITS;
      beginning.forEach(
          (database, content) ->
              world.withStore(
                  database,
                  engine -> {
                    WriteBatch batch = new WriteBatch();
                    content.forEach(batch::put);
                    engine.write(batch, Durability.DURABLE);
                  }));
      return world;
    }

    /** Checks that exactly what belongs to the height lies on the engines: no row more or less. */
    void assertHolds(World world, long height) {
      Map<Database, TreeMap<Bytes, Bytes>> expected =
          height < 0 ? comparable(beginning) : contents.get((int) height);
      Map<Database, TreeMap<Bytes, Bytes>> found = comparable(world.content());
      for (Database database : Database.values()) {
        assertThat(found.get(database).keySet())
            .as("%s at height %s", database, height)
            .isEqualTo(expected.get(database).keySet());
        assertThat(found.get(database).equals(expected.get(database)))
            .as("%s at height %s", database, height)
            .isTrue();
      }
    }

    /** Leaves out the records that tell when the last checkpoint was. */
    private static Map<Database, TreeMap<Bytes, Bytes>> comparable(
        Map<Database, TreeMap<Bytes, Bytes>> content) {
      Map<Database, TreeMap<Bytes, Bytes>> comparable = new EnumMap<>(Database.class);
      content.forEach((database, rows) -> comparable.put(database, new TreeMap<>(rows)));
      TreeMap<Bytes, Bytes> block = comparable.get(Database.BLOCK);
      block.remove(Bytes.ofUtf8("\u0001filter"));
      block.remove(Bytes.ofUtf8("\u0001derived"));
      return comparable;
    }
  }

  private final Script script;
  private final World world;
  private final Random random;
  @Nullable Ledger ledger;

  /** The newest height of which a call said that it is committed. */
  long acknowledged = -1;

  /** The newest height that was asked for; what is above {@link #acknowledged} is in flight. */
  long attempted = -1;

  Story(Script script, World world, long seed) {
    this.script = script;
    this.world = world;
    this.random = new Random(seed);
  }

  /** Opens the ledger; state and history become durable after four blocks. */
  Ledger open() {
    Settings settings = world.settings();
    settings.checkpointBlocks = 4;
    ledger = world.open(settings);
    return ledger;
  }

  /** Ends the ledger in order. */
  void close() {
    Ledger open = ledger;
    ledger = null;
    if (open != null) {
      open.close();
    }
  }

  /** Goes on until the chain has the height. */
  void runTo(long height) {
    if (ledger == null) {
      open();
    }
    while (acknowledged < height) {
      step();
    }
    close();
  }

  private void step() {
    switch (random.nextInt(10)) {
      case 0, 1, 2, 3, 4 -> commit(1);
      case 5, 6 -> commit(2 + random.nextInt(4));
      case 7 -> repeat();
      case 8 -> beRefused();
      default -> {
        close();
        open();
      }
    }
  }

  /** Commits the next blocks: one alone, or several as a batch. */
  void commit(int count) {
    int from = (int) acknowledged + 1;
    int until = Math.min(script.blocks.size(), from + count);
    if (from == until) {
      return;
    }
    attempted = until - 1;
    if (count == 1) {
      ledger.commit(script.blocks.get(from));
    } else {
      ledger.commitAll(script.blocks.subList(from, until));
    }
    acknowledged = until - 1;
    assertThat(ledger.height()).isEqualTo(acknowledged);
  }

  private void repeat() {
    if (acknowledged >= 0) {
      ledger.commit(script.blocks.get(random.nextInt((int) acknowledged + 1)));
    }
  }

  private void beRefused() {
    if (acknowledged >= 0) {
      Block newest = script.blocks.get((int) acknowledged);
      Block refused =
          Blocks.after(newest)
              .transaction("fresh", Bytes.EMPTY)
              .transaction(script.blocks.get(0).transactions().get(0).id(), Bytes.EMPTY)
              .build();
      try {
        ledger.commit(refused);
        fail("a repeated id was taken");
      } catch (ConflictException e) {
        assertThat(e.reason()).isEqualTo(ConflictException.Reason.DUPLICATE_TRANSACTION);
      }
    }
  }
}
