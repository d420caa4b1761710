package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Database;
import io.ledgerkeep.Rebuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/** How long it takes to take the newest blocks away, and how much is written for it. */
final class RollBackExperiment implements Experiment {

  private static final int BLOCKS = 10;
  private static final int THREADS = 2;
  private static final int WARM_UP_ROUNDS = 1;
  private static final Path IO = Path.of("/proc/self/io");

  private final Workspace workspace = Workspace.ofThisProcess();
  private final Path ready = workspace.path("ready");
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  private final Rounds seconds = new Rounds();
  private final Rounds rows = new Rounds();
  private final Rounds written = new Rounds();

  @Override
  public List<Figure> run(Setting setting) {
    long blocks = setting.smallBlocks();
    try {
      Ledgers.make(ready, Chain.SMALL, blocks, block -> {});
      for (int round = -WARM_UP_ROUNDS; round < setting.rounds(); round++) {
        round(round, blocks - 1 - BLOCKS);
      }
    } finally {
      threads.shutdown();
    }
    return figures(blocks);
  }

  private void round(int round, long height) {
    Path blockStore = Ledgers.store(ready, Database.BLOCK);
    double storeMegabytes = Workspace.sizeBytes(blockStore) / 1e6;
    Stopwatch ours = new Stopwatch();
    Stopwatch copy = new Stopwatch();
    AtomicLong rowBytes = new AtomicLong();
    long[] diskBytes = {0};
    Turns.take(
        round,
        () -> diskBytes[0] = rollBack(height, rowBytes, ours),
        () -> {
          workspace.settle();
          copy.time(() -> workspace.copySynced(blockStore, "copy"));
        });
    List.of("ours", "copy").forEach(workspace::remove);
    if (round >= 0) {
      seconds.add(ours.seconds(), copy.seconds());
      rows.add(rowBytes.get() / 1e6, storeMegabytes);
      written.add(diskBytes[0] / 1e6, storeMegabytes);
    }
  }

  /** Returns what the process gave the disk to write meanwhile, whatever it was. */
  private long rollBack(long height, AtomicLong rowBytes, Stopwatch watch) {
    AtomicLong others = new AtomicLong();
    Rebuilder rebuilder =
        Ledgers.at(workspace.copy(ready, "ours"))
            .storage(
                new WrappedStorage(
                    (database, engine) ->
                        new CountingEngine(engine, database == Database.BLOCK ? rowBytes : others)),
                EngineSettings.ofLedger())
            .executor(threads)
            .rebuilder();
    workspace.settle();
    long before = writeBytes();
    watch.time(() -> rebuilder.rebuild(Rebuilder.Request.upTo(height)));
    return writeBytes() - before;
  }

  private static long writeBytes() {
    try {
      return Files.readAllLines(IO).stream()
          .filter(line -> line.startsWith("write_bytes:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Figure> figures(long blocks) {
    String what = Notes.format("the newest %s of %s blocks", BLOCKS, blocks);
    return List.of(
        Figure.of(
            "roll back of 10 blocks, " + Chain.SMALL,
            "s",
            seconds,
            Aim.none(),
            what
                + ", from the call to its return, the ledger opened and closed in it; baseline: a"
                + " plain copy of the block database's files, synced"),
        Figure.of(
            "roll back of 10 blocks, rows written",
            "MB",
            rows,
            Aim.atMost(0.01),
            Notes.format(
                "rows written to the block database; baseline: its size; all that the process wrote"
                    + " to the disk meanwhile, logs and tables of all databases and the backup of the"
                    + " blocks: %.1f MB",
                written.ours())));
  }
}
