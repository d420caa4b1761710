package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.MachineCrash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The machine crashes at every call that an engine gets, and the ledger opens again at what was
 * acknowledged, or with the blocks in flight: whole ones, and nothing else.
 */
final class CrashLoopTest {

  private static final int HEIGHT = 24;

  /** Before reads nothing more can be lost than before the next change. */
  private static final Set<Call> CRASHED = EnumSet.copyOf(Call.CHANGES);

  static {
    CRASHED.add(Call.OPEN);
  }

  @TempDir static Path directory;
  private static Story.Script script;

  @BeforeAll
  static void play() {
    script = new Story.Script(directory, HEIGHT);
  }

  @Test
  void theLedgerSurvivesACrashAtEveryCall() throws IOException {
    crashAtEveryCall(1, 1, 4);
    crashAtEveryCall(2, 3, 4);
  }

  @Test
  @Tag("long")
  void theLedgerSurvivesACrashAtEveryCallOfManyStories() throws IOException {
    for (long seed = 100; seed < 140; seed++) {
      crashAtEveryCall(seed, 1, 1);
    }
  }

  /** Crashes at the first call and at every so many-th after it, before it and after it. */
  private void crashAtEveryCall(long seed, int first, int step) throws IOException {
    FaultPlan counting = new FaultPlan();
    World world = script.world(seed);
    world.plan = counting;
    new Story(script, world, seed).runTo(HEIGHT - 1);
    long calls = counting.calls(CRASHED);
    assertThat(calls).isGreaterThan(100);
    for (long n = first; n <= calls; n += step) {
      for (Fault fault : List.of(Fault.CRASH_BEFORE, Fault.CRASH_AFTER)) {
        crashAt(seed, n, fault);
      }
    }
  }

  private void crashAt(long seed, long n, Fault fault) throws IOException {
    String round = "seed %d, %s call %d".formatted(seed, fault, n);
    try {
      removeFilter(script.world(seed).directory);
      World world = script.world(seed * 1_000_003 + n);
      Story story = new Story(script, world, seed);
      FilterFiles filter = new FilterFiles(world, n);
      world.plan = new FaultPlan().whenCrashing(world.disk::crash).at(CRASHED, n, fault);
      try {
        story.runTo(HEIGHT - 1);
        throw new AssertionError("no crash was played");
      } catch (MachineCrash e) {
        world.crash(story.ledger);
      }
      filter.crash();
      assertSurvived(world, story.acknowledged, story.attempted, n);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError(round, e);
    }
  }

  private static void assertSurvived(World world, long acknowledged, long attempted, long n) {
    Ledger ledger = world.open();
    long height = ledger.height();
    assertThat(height).isBetween(acknowledged, attempted);
    script.assertHolds(world, height);
    Replay.assertUnknownTo(ledger, script.blocks.subList((int) height + 1, script.blocks.size()));
    if (n % 5 == 0) {
      Replay.of(script.blocks.subList(0, (int) height + 1)).assertToldBy(ledger);
    }
    goOn(world, ledger, n % 2 == 0);
  }

  /** The chain goes on with the lost block, or with another one that has some of its ids. */
  private static void goOn(World world, Ledger ledger, boolean sameChain) {
    int next = (int) ledger.height() + 1;
    if (sameChain) {
      ledger.commitAll(script.blocks.subList(next, Math.min(HEIGHT, next + 3)));
      script.assertHolds(world, ledger.height());
      ledger.close();
      return;
    }
    Block lost = script.blocks.get(Math.min(next, HEIGHT - 1));
    Blocks other = next == 0 ? Blocks.genesis() : Blocks.after(script.blocks.get(next - 1));
    if (next < HEIGHT && !lost.transactions().isEmpty()) {
      other.transaction(lost.transactions().get(0).id(), Bytes.ofUtf8("short"));
    }
    Block committed = other.build();
    ledger.commit(committed);
    assertThat(ledger.block(next)).contains(committed);
    ledger.close();
    try (Ledger again = world.open()) {
      assertThat(again.height()).isEqualTo(next);
      assertThat(again.block(next)).contains(committed);
    }
  }

  // ------------------------------------------------------------------------------------ for long

  @Test
  void aLedgerThatCrashesAgainAndAgainIsWholeAfterEachCrash() throws IOException {
    for (long seed = 1; seed <= 6; seed++) {
      crashAgainAndAgain(seed);
    }
  }

  @Test
  @Tag("long")
  void aLedgerThatCrashesThousandsOfTimesIsWholeAfterEachCrash() throws IOException {
    for (long seed = 1000; seed < 1300; seed++) {
      crashAgainAndAgain(seed);
    }
  }

  /** Crashes at random calls, of recovery too, on one chain that grows meanwhile. */
  private void crashAgainAndAgain(long seed) throws IOException {
    Random random = new Random(seed);
    World world = script.world(seed);
    removeFilter(world.directory);
    long acknowledged = -1;
    long attempted = -1;
    for (int crash = 0; acknowledged < HEIGHT - 1; crash++) {
      String round = "seed %d, crash %d, above %d".formatted(seed, crash, acknowledged);
      try {
        Story story = new Story(script, world, seed + crash);
        story.acknowledged = acknowledged;
        story.attempted = attempted;
        FilterFiles filter = new FilterFiles(world, seed + crash);
        world.plan =
            new FaultPlan()
                .whenCrashing(world.disk::crash)
                .at(CRASHED, 1 + random.nextInt(20), anyCrash(random));
        try {
          Ledger ledger = story.open();
          assertThat(ledger.height()).isBetween(acknowledged, attempted);
          script.assertHolds(world, ledger.height());
          story.acknowledged = ledger.height();
          story.attempted = ledger.height();
          story.runTo(HEIGHT - 1);
        } catch (MachineCrash e) {
          world.crash(story.ledger);
        }
        filter.crash();
        acknowledged = story.acknowledged;
        attempted = story.attempted;
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(round, e);
      }
    }
    world.plan = new FaultPlan();
    assertSurvived(world, acknowledged, attempted, seed);
  }

  private static Fault anyCrash(Random random) {
    return random.nextBoolean() ? Fault.CRASH_BEFORE : Fault.CRASH_AFTER;
  }

  // ------------------------------------------------------------------------------------ the filter

  private static void removeFilter(Path ledger) throws IOException {
    if (Files.exists(ledger.resolve("block/ids"))) {
      for (Path file : files(ledger.resolve("block/ids"))) {
        Files.delete(file);
      }
    }
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  /**
   * The files of the id filter are real ones, which no crash of a disk in memory touches. This
   * plays it: of what was not forced since the ledger was opened any page may be lost.
   */
  private static final class FilterFiles {

    private static final int PAGE = 4096;

    private final World world;
    private final Path directory;
    private final Random random;
    private final Bytes recorded;
    private final Map<Path, byte[]> before = new TreeMap<>();

    FilterFiles(World world, long seed) throws IOException {
      this.world = world;
      this.directory = world.directory.resolve("block/ids");
      this.random = new Random(seed);
      this.recorded = recorded();
      if (Files.exists(directory)) {
        for (Path file : files(directory)) {
          before.put(file, Files.readAllBytes(file));
        }
      }
    }

    private Bytes recorded() {
      Bytes[] found = {Bytes.EMPTY};
      world.withStore(
          Database.BLOCK,
          engine -> found[0] = engine.get(Bytes.ofUtf8("\u0001filter")).orElse(Bytes.EMPTY));
      return found[0];
    }

    void crash() throws IOException {
      if (!Files.exists(directory) || random.nextInt(4) == 0 || !recorded.equals(recorded())) {
        return;
      }
      for (Path file : files(directory)) {
        byte[] old = before.get(file);
        if (old == null) {
          Files.delete(file);
        } else {
          Files.write(file, mixed(old, Files.readAllBytes(file)));
        }
      }
    }

    private byte[] mixed(byte[] old, byte[] now) {
      byte[] mixed = now.clone();
      for (int page = 0; page < Math.min(old.length, now.length); page += PAGE) {
        if (random.nextBoolean()) {
          System.arraycopy(old, page, mixed, page, Math.min(PAGE, old.length - page));
        }
      }
      return mixed;
    }
  }
}
