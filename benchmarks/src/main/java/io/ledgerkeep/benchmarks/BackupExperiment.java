package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Backup;
import io.ledgerkeep.Block;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** How fast a ledger is backed up, in full and what is new of it, and restored. */
final class BackupExperiment implements Experiment {

  private static final int THREADS = 2;
  private static final int WARM_UP_ROUNDS = 1;

  private final Chain chain;
  private final Workspace workspace = Workspace.ofThisProcess();
  private final Path ready = workspace.path("ready");
  private final Path backups = workspace.path("backups");
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  private final Rounds full = new Rounds();
  private final Rounds cpu = new Rounds();
  private final Rounds scanned = new Rounds();
  private final Rounds incremental = new Rounds();
  private final Rounds restoring = new Rounds();
  private final Rounds stored = new Rounds();
  private List<Block> onePercent = List.of();
  private double ledgerMegabytes;

  BackupExperiment(Chain chain) {
    this.chain = chain;
  }

  @Override
  public List<Figure> run(Setting setting) {
    long length = chain.length(setting);
    try {
      makeReady(length);
      for (int round = -WARM_UP_ROUNDS; round < setting.rounds(); round++) {
        round(round);
        List.of("ours", "copy", "backups", "restored", "copied-back").forEach(workspace::remove);
      }
    } finally {
      threads.shutdown();
    }
    return figures(length);
  }

  private void makeReady(long length) {
    Iterator<Block> blocks = chain.blocks();
    try (Ledger ledger = Ledgers.at(ready).open()) {
      Ledgers.fill(ledger, chain, blocks, length);
    }
    onePercent = Chain.next(blocks, length / 100);
    ledgerMegabytes = Workspace.sizeBytes(ready) / 1e6;
  }

  private void round(int round) {
    Stopwatch first = new Stopwatch();
    Stopwatch second = new Stopwatch();
    Stopwatch copy = new Stopwatch();
    List<Backup.Report> made = new ArrayList<>();
    Turns.take(
        round,
        () -> {
          try (Ledger ledger =
              Ledgers.at(workspace.copy(ready, "ours")).executor(threads).openExisting()) {
            made.add(backUp(ledger, Backup.Request.full(backups), first));
            ledger.commitAll(onePercent);
            made.add(backUp(ledger, Backup.Request.incremental(backups), second));
          }
        },
        () -> copy(ready, "copy", copy));
    Stopwatch scan = new Stopwatch();
    scan(scan);
    Stopwatch restore = new Stopwatch();
    Stopwatch copyBack = new Stopwatch();
    Turns.take(
        round, () -> restore(restore), () -> copy(workspace.path("ours"), "copied-back", copyBack));
    if (round >= 0) {
      full.add(ledgerMegabytes / first.seconds(), ledgerMegabytes / copy.seconds());
      cpu.add(first.cpuSeconds(), copy.cpuSeconds());
      scanned.add(ledgerMegabytes / first.seconds(), ledgerMegabytes / scan.seconds());
      incremental.add(second.seconds(), first.seconds());
      double raw = made.stream().mapToLong(Backup.Report::rawBytes).sum() / 1e6;
      restoring.add(raw / restore.seconds(), raw / copyBack.seconds());
      stored.add(Workspace.sizeBytes(backups) / 1e6, raw);
    }
  }

  private Backup.Report backUp(Ledger ledger, Backup.Request request, Stopwatch watch) {
    List<Backup.Report> report = new ArrayList<>();
    workspace.settle();
    watch.time(() -> report.add(ledger.backup().run(request)));
    return report.get(0);
  }

  private void copy(Path from, String name, Stopwatch watch) {
    workspace.settle();
    watch.time(() -> workspace.copySynced(from, name));
  }

  /** Reads every row of the copy. */
  private void scan(Stopwatch watch) {
    long[] bytes = {0};
    for (Database database : Database.values()) {
      try (BareStore store = BareStore.open(Ledgers.store(workspace.path("copy"), database))) {
        workspace.settle();
        watch.time(
            () ->
                store.scan(KeyRange.all(), (key, value) -> bytes[0] += key.length + value.length));
      }
    }
  }

  private void restore(Stopwatch watch) {
    workspace.settle();
    watch.time(
        () ->
            Ledgers.at(workspace.path("restored"))
                .executor(threads)
                .restoreBackup(Backup.Restoring.from(backups)));
  }

  private List<Figure> figures(long length) {
    return List.of(
        Figure.of(
            "first backup, " + chain,
            "MB/s",
            full,
            Aim.atLeast(0.7),
            Notes.format(
                "the %.0f MB of the ledger's files; two threads; baseline: a plain copy of these"
                    + " files, each synced; the backups take %.2f of their rows; processor time of the"
                    + " process x %.2f",
                ledgerMegabytes, stored.ratio(), cpu.ratio())),
        Figure.of(
            "first backup to a scan, " + chain,
            "MB/s",
            scanned,
            Aim.none(),
            "the same; baseline: a bare scan of all rows, which is what reading an engine takes"),
        Figure.of(
            "incremental backup, " + chain,
            "s",
            incremental,
            Aim.atMost(0.05),
            Notes.format(
                "of %s blocks more (1 %% of %s); baseline: the first backup",
                onePercent.size(), length)),
        Figure.of(
            "restore of backups, " + chain,
            "MB/s",
            restoring,
            Aim.none(),
            "rows of both backups, put back, compared, replayed and verified in full; baseline: a"
                + " plain copy of the ledger's files, each synced"));
  }
}
