package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Rebuilder;
import io.ledgerkeep.benchmarks.SideBySide.Written;
import io.ledgerkeep.job.JobControl;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** How fast state, history and indexes are made anew from the blocks. */
final class RebuildExperiment implements Experiment {

  private static final int THREADS = 2;
  private static final int WARM_UP_ROUNDS = 1;

  private final Chain chain;
  private final Workspace workspace = Workspace.ofThisProcess();
  private final Path ready = workspace.path("ready");
  private final WrittenFile batches = new WrittenFile(workspace.path("batches"));
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  private final Rounds rate = new Rounds();
  private final Rounds cpu = new Rounds();
  private final Rounds scanShare = new Rounds();
  private final Rounds compareShare = new Rounds();
  private long rawBytes;
  private long writtenBytes;

  RebuildExperiment(Chain chain) {
    this.chain = chain;
  }

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    long length = chain.length(setting);
    try {
      Ledgers.make(ready, chain, length, block -> rawBytes += block.rawBytes());
      recordBatches();
      for (int round = -WARM_UP_ROUNDS; round < setting.rounds(); round++) {
        round(round, length);
      }
    } finally {
      threads.shutdown();
    }
    return List.of(figure(length));
  }

  /** Rebuilds once on engines that tell what is written into state and history. */
  private void recordBatches() throws IOException {
    Path recorded = workspace.copy(ready, "recorded");
    try (WrittenFile.Writer writer = batches.writer()) {
      RecordingEngine.Listener listener =
          new RecordingEngine.Listener() {
            @Override
            public synchronized void wrote(Database database, WriteBatch batch, boolean durable) {
              if (database != Database.BLOCK) {
                writer.add(new Written(database, batch, durable));
                writtenBytes += batch.bytes();
              }
            }
          };
      rebuild(
          Ledgers.at(recorded)
              .storage(
                  new WrappedStorage(
                      (database, engine) -> new RecordingEngine(database, engine, listener)),
                  EngineSettings.ofLedger()),
          new Stopwatch());
    }
    workspace.remove("recorded");
  }

  private void round(int round, long length) {
    Stopwatch ours = new Stopwatch();
    Stopwatch scan = new Stopwatch();
    Stopwatch write = new Stopwatch();
    double[] comparing = {0};
    Turns.take(
        round,
        () -> comparing[0] = rebuild(Ledgers.at(workspace.copy(ready, "ours")), ours),
        () -> {
          scan(scan);
          write(write);
        });
    workspace.remove("ours");
    if (round < 0) {
      return;
    }
    double bare = scan.seconds() + write.seconds();
    rate.add(length / ours.seconds(), length / bare);
    cpu.add(ours.cpuSeconds(), scan.cpuSeconds() + write.cpuSeconds());
    scanShare.add(scan.seconds(), bare);
    compareShare.add(comparing[0], ours.seconds());
  }

  /** Returns how many seconds it took from the comparison on. */
  private double rebuild(Ledgerkeep.Builder ledger, Stopwatch watch) {
    Rebuilder rebuilder = ledger.executor(threads).rebuilder();
    long[] compared = {0};
    JobControl control =
        JobControl.none()
            .onProgress(
                progress -> {
                  if (progress.phase().equals("compare") && compared[0] == 0) {
                    compared[0] = System.nanoTime();
                  }
                });
    workspace.settle();
    watch.time(() -> rebuilder.rebuild(Rebuilder.Request.all().with(control)));
    return (System.nanoTime() - compared[0]) / 1e9;
  }

  private void scan(Stopwatch watch) {
    long[] bytes = {0};
    Path copy = workspace.copy(Ledgers.store(ready, Database.BLOCK), "copy");
    try (BareStore store = BareStore.open(copy)) {
      workspace.settle();
      watch.time(
          () -> store.scan(KeyRange.all(), (key, value) -> bytes[0] += key.length + value.length));
    }
    workspace.remove("copy");
  }

  private void write(Stopwatch watch) {
    Map<Database, BareStore> stores = new EnumMap<>(Database.class);
    Set<Database> made = Set.of(Database.STATE, Database.HISTORY);
    made.forEach(name -> stores.put(name, BareStore.open(workspace.path(bare(name)))));
    workspace.settle();
    batches.forEach(
        written ->
            watch.time(
                () ->
                    Objects.requireNonNull(stores.get(written.database()))
                        .write(written.batch(), false)));
    stores.values().forEach(BareStore::close);
    made.forEach(name -> workspace.remove(bare(name)));
  }

  private static String bare(Database database) {
    return "bare-" + database.lowerCaseName();
  }

  private Figure figure(long length) {
    return Figure.of(
        "rebuild, " + chain,
        "blocks/s",
        rate,
        Aim.atLeast(0.6),
        Notes.format(
            "%.1f MB/s of raw block data to %.1f; baseline: a bare scan of the block database (%.0f"
                + " %% of it), then the %.0f MB that state and history are given, in the same batches,"
                + " not synced; two threads; comparing what was built and the rest after it %.0f %% of"
                + " the time; processor time of the process x %.2f",
            rate.ours() * rawBytes / length / 1e6,
            rate.baseline() * rawBytes / length / 1e6,
            100 * scanShare.ratio(),
            writtenBytes / 1e6,
            100 * compareShare.ratio(),
            cpu.ratio()));
  }
}
