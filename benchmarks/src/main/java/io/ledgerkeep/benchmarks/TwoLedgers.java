package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.testkit.SampleChain;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * The same blocks on two ledgers that are opened differently, both in turns, with two threads each.
 * Blocks have one transaction of 1 KiB and up to two writes of 1 KiB. Both ledgers are open before
 * anything is timed.
 */
final class TwoLedgers {

  private static final int THREADS = 2;

  /** Many short turns, each a pair of its own: what disturbs the machine hits a few of them. */
  private static final int TURNS = 20;

  private static final int COMMITS = 200;
  private static final int READS = 500;

  /** Fewer and longer: a batch of them fills several of the engine's tables. */
  private static final int IMPORT_TURNS = 5;

  /** The JVM is not done compiling after fewer: a node runs for years. */
  private static final int WARM_UP_ROUNDS = 3;

  private final Consumer<Ledgerkeep.Builder> ours;
  private final Consumer<Ledgerkeep.Builder> theirs;
  private final Workspace workspace = Workspace.ofThisProcess();
  private final Random random = new Random(3);
  private final Iterator<Block> blocks =
      SampleChain.builder()
          .seed(2)
          .configAt(height -> height % 1000 == 500)
          .emptyAt(height -> false)
          .transactionsPerBlock(1)
          .payloadBytes(1 << 10)
          .writesPerTransaction(2)
          .valueBytes(1 << 10)
          .keys(20_000)
          .build()
          .iterator();

  private final Rounds commits = new Rounds();
  private final Rounds imports = new Rounds();
  private final Rounds reads = new Rounds();
  private final Rounds archiving = new Rounds();
  private final Rounds restoring = new Rounds();
  private long bytes;

  TwoLedgers(Consumer<Ledgerkeep.Builder> ours, Consumer<Ledgerkeep.Builder> theirs) {
    this.ours = ours;
    this.theirs = theirs;
  }

  Rounds commits() {
    return commits;
  }

  Rounds imports() {
    return imports;
  }

  Rounds reads() {
    return reads;
  }

  Rounds archiving() {
    return archiving;
  }

  Rounds restoring() {
    return restoring;
  }

  /** Measures commits, imports and reads. */
  void grow(Setting setting) {
    withThreads(threads -> grow(setting, threads));
  }

  /** Measures archiving and restoring of what was committed. */
  void archiveAndRestore(Setting setting) {
    withThreads(
        threads -> {
          for (int round = -1; round < setting.rounds(); round++) {
            archiveRound(round, threads);
          }
        });
  }

  private static void withThreads(Consumer<ExecutorService> work) {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      work.accept(threads);
    } finally {
      threads.shutdown();
    }
  }

  private void grow(Setting setting, ExecutorService threads) {
    long perRound = setting.smallBlocks() / (2L * (WARM_UP_ROUNDS + setting.rounds()));
    try (Ledger our = open("ours", threads, ours);
        Ledger their = open("theirs", threads, theirs)) {
      for (int round = -WARM_UP_ROUNDS; round < setting.rounds(); round++) {
        importRound(round, perRound, our, their);
        commitRound(round, our, their);
        readRound(round, our, their);
      }
    }
  }

  private Ledger open(String name, ExecutorService threads, Consumer<Ledgerkeep.Builder> more) {
    Ledgerkeep.Builder builder =
        Ledgers.at(workspace.path(name))
            .executor(threads)
            .archiveStore(Ledgers.STORE, Ledgers.archiveAt(workspace.path(name + "-archive")));
    more.accept(builder);
    return builder.open();
  }

  private void importRound(int round, long count, Ledger our, Ledger their) {
    for (int turn = 0; turn < IMPORT_TURNS; turn++) {
      List<Block> some = next(count / IMPORT_TURNS);
      workspace.settle();
      measure(
          round,
          turn,
          imports,
          some.size(),
          () -> our.commitAll(some),
          () -> their.commitAll(some));
    }
  }

  private void commitRound(int round, Ledger our, Ledger their) {
    List<List<Block>> turns = new ArrayList<>();
    for (int turn = 0; turn < TURNS; turn++) {
      turns.add(next(COMMITS));
    }
    workspace.settle();
    for (int turn = 0; turn < TURNS; turn++) {
      List<Block> some = turns.get(turn);
      measure(
          round,
          turn,
          commits,
          COMMITS,
          () -> some.forEach(our::commit),
          () -> some.forEach(their::commit));
    }
  }

  private void readRound(int round, Ledger our, Ledger their) {
    workspace.settle();
    for (int turn = 0; turn < TURNS; turn++) {
      List<Long> heights = random.longs(READS, 1, our.height()).boxed().toList();
      measure(
          round,
          turn,
          reads,
          READS,
          () -> heights.forEach(our::block),
          () -> heights.forEach(their::block));
    }
  }

  /** Begins an archive each time: what is archived already would be taken over, not written. */
  private void archiveRound(int round, ExecutorService threads) {
    try (Ledger our = open("ours", threads, ours);
        Ledger their = open("theirs", threads, theirs)) {
      long target = Chain.ninetyPercent(our.height());
      double megabytes = bytes * 0.9 / 1e6;
      workspace.settle();
      measure(
          round,
          round,
          archiving,
          megabytes,
          () -> archive(our, target),
          () -> archive(their, target));
      workspace.settle();
      measure(round, round, restoring, megabytes, () -> restore(our), () -> restore(their));
    }
    List.of("ours-archive", "theirs-archive").forEach(workspace::remove);
  }

  private static void archive(Ledger ledger, long target) {
    ledger.archiver().archive(ArchiveRequest.upTo(target));
  }

  private static void restore(Ledger ledger) {
    ledger.restorer().restore(RestoreRequest.downTo(1));
  }

  /** Measures one turn, which counts if its round is none to warm up. */
  private static void measure(
      int round, int turn, Rounds pairs, double amount, Runnable our, Runnable their) {
    Stopwatch ourWatch = new Stopwatch();
    Stopwatch theirWatch = new Stopwatch();
    Turns.take(turn, () -> ourWatch.time(our), () -> theirWatch.time(their));
    if (round >= 0) {
      pairs.add(amount / ourWatch.seconds(), amount / theirWatch.seconds());
    }
  }

  private List<Block> next(long count) {
    List<Block> some = Chain.next(blocks, count);
    some.forEach(block -> bytes += block.rawBytes());
    return some;
  }
}
