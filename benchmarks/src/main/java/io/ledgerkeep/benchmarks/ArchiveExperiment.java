package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.benchmarks.TimingEngine.Times;
import io.ledgerkeep.storage.WriteBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * How fast nine tenths of a chain are archived and restored, and what is left on the disk between
 * the two.
 */
final class ArchiveExperiment implements Experiment {

  private static final int THREADS = 2;
  private static final int WARM_UP_ROUNDS = 1;
  private static final long BATCH_BYTES = 8 << 20;

  private final Chain chain;
  private final Workspace workspace = Workspace.ofThisProcess();
  private final Path ready = workspace.path("ready");
  private final Path directory = workspace.path("ours");
  private final Path archive = workspace.path("archive");
  private final RowFile bodies = new RowFile(workspace.path("bodies"));
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  private final Rounds archiving = new Rounds();
  private final Rounds archivingUntilSafe = new Rounds();
  private final Rounds scanning = new Rounds();
  private final Rounds compressing = new Rounds();
  private final Rounds restoring = new Rounds();
  private Rounds disk = new Rounds();
  private Rounds blockDisk = new Rounds();
  private Rounds stored = new Rounds();
  private String archiveShares = "";
  private String restoreShares = "";
  private long target;
  private long rawBytes;

  ArchiveExperiment(Chain chain) {
    this.chain = chain;
  }

  @Override
  public List<Figure> run(Setting setting) throws IOException {
    try {
      makeReady(chain.length(setting));
      for (int round = -WARM_UP_ROUNDS; round < setting.rounds(); round++) {
        workspace.copy(ready, "ours");
        archiveRound(round);
        if (round == 0) {
          measureDisk();
        }
        restoreRound(round);
        List.of("ours", "archive").forEach(workspace::remove);
      }
    } finally {
      threads.shutdown();
    }
    return figures();
  }

  private void makeReady(long length) throws IOException {
    target = Chain.ninetyPercent(length);
    Ledgers.make(
        ready,
        chain,
        length,
        block -> {
          if (block.kind() == Block.Kind.NORMAL && block.height() <= target) {
            rawBytes += block.rawBytes();
          }
        });
    try (BareStore store = BareStore.open(blockStoreOf(ready, "copy"));
        RowFile.Writer writer = bodies.writer()) {
      store.scan(archivedBodies(), writer::add);
    }
    workspace.remove("copy");
  }

  /** Copies the store of the block database of a closed ledger. */
  private Path blockStoreOf(Path ledger, String name) {
    return workspace.copy(Ledgers.store(ledger, Database.BLOCK), name);
  }

  /** Returns the range of the body rows up to the target, as docs/format.md has it. */
  private KeyRange archivedBodies() {
    return KeyRange.of(
        Bytes.wrap(new byte[] {3}),
        Bytes.wrap(ByteBuffer.allocate(9).put((byte) 3).putLong(target + 1).array()));
  }

  private Ledger open(Times times) {
    return Ledgers.at(directory)
        .storage(
            new WrappedStorage((database, engine) -> new TimingEngine(engine, times)),
            EngineSettings.ofLedger())
        .archiveStore(Ledgers.STORE, Ledgers.archiveAt(archive))
        .executor(threads)
        .openExisting();
  }

  private double rate(double seconds) {
    return rawBytes / 1e6 / seconds;
  }

  // ------------------------------------------------------------------------------------ archive

  private void archiveRound(int round) {
    Stopwatch ours = new Stopwatch();
    Stopwatch scan = new Stopwatch();
    Stopwatch zstd = new Stopwatch();
    Times times = Times.none();
    Turns.take(
        round,
        () -> archive(ours, times),
        () -> {
          scan(scan);
          compress(zstd);
        });
    if (round < 0) {
      return;
    }
    double slower = Math.max(scan.seconds(), zstd.seconds());
    archiving.add(rate(ours.seconds()), rate(slower));
    archivingUntilSafe.add(rate(times.secondsWithout(ours.seconds())), rate(slower));
    scanning.add(rate(ours.seconds()), rate(scan.seconds()));
    compressing.add(rate(ours.seconds()), rate(zstd.seconds()));
    archiveShares = times.shares(ours.seconds());
  }

  private void archive(Stopwatch watch, Times times) {
    try (Ledger ledger = open(times)) {
      workspace.settle();
      watch.time(() -> ledger.archiver().archive(ArchiveRequest.upTo(target)));
    }
  }

  private void scan(Stopwatch watch) {
    long[] bytes = {0};
    try (BareStore store = BareStore.open(blockStoreOf(ready, "copy"))) {
      workspace.settle();
      watch.time(
          () ->
              store.scan(archivedBodies(), (key, value) -> bytes[0] += key.length + value.length));
    }
    workspace.remove("copy");
  }

  private void compress(Stopwatch watch) {
    try (BareZstd zstd = new BareZstd()) {
      forEachBatch(rows -> watch.time(() -> zstd.add(rows)));
      watch.time(zstd::end);
    }
  }

  /** Shows the body rows of what is archived in batches; reading the file is no one's time. */
  private void forEachBatch(Consumer<WriteBatch> use) {
    try (RowFile.Reader reader = bodies.reader()) {
      WriteBatch rows = reader.next(BATCH_BYTES);
      while (!rows.isEmpty()) {
        use.accept(rows);
        rows = reader.next(BATCH_BYTES);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ------------------------------------------------------------------------------------ disk

  /** Compares with new stores that hold the rows that are left and never held any other. */
  private void measureDisk() {
    long fresh = 0;
    for (Database database : Database.values()) {
      workspace.copy(Ledgers.store(directory, database), "copy");
      long bytes = freshBytes();
      if (database == Database.BLOCK) {
        blockDisk = megabytes(Workspace.sizeBytes(Ledgers.store(directory, database)), bytes);
      }
      fresh += bytes;
      List.of("copy", "fresh").forEach(workspace::remove);
    }
    disk = megabytes(Workspace.sizeBytes(directory), fresh);
    stored = megabytes(Workspace.sizeBytes(archive), rawBytes);
  }

  private long freshBytes() {
    try (BareStore left = BareStore.open(workspace.path("copy"));
        BareStore fresh = BareStore.open(workspace.path("fresh"))) {
      left.scan(
          KeyRange.all(),
          (key, value) ->
              fresh.write(new WriteBatch().put(Bytes.wrap(key), Bytes.wrap(value)), false));
      fresh.compact();
    }
    // Opened once more, for what compaction left behind goes at the latest then.
    BareStore.open(workspace.path("fresh")).close();
    return Workspace.sizeBytes(workspace.path("fresh"));
  }

  private static Rounds megabytes(long ours, long baseline) {
    return Rounds.once(ours / 1e6, baseline / 1e6);
  }

  // ------------------------------------------------------------------------------------ restore

  private void restoreRound(int round) {
    blockStoreOf(directory, "left");
    Stopwatch ours = new Stopwatch();
    Stopwatch bare = new Stopwatch();
    Times times = Times.none();
    Turns.take(round, () -> restore(ours, times), () -> writeBack(bare));
    if (round >= 0) {
      restoring.add(rate(ours.seconds()), rate(bare.seconds()));
      restoreShares = times.shares(ours.seconds());
    }
  }

  private void restore(Stopwatch watch, Times times) {
    try (Ledger ledger = open(times)) {
      workspace.settle();
      watch.time(() -> ledger.restorer().restore(RestoreRequest.downTo(1)));
    }
  }

  private void writeBack(Stopwatch watch) {
    try (BareStore left = BareStore.open(workspace.path("left"))) {
      workspace.settle();
      forEachBatch(rows -> watch.time(() -> left.write(rows, true)));
    }
    workspace.remove("left");
  }

  // ------------------------------------------------------------------------------------ figures

  private List<Figure> figures() {
    return List.of(
        Figure.of(
            "archive, " + chain,
            "MB/s",
            archiving,
            Aim.atLeast(0.7),
            Notes.format(
                "%.0f MB of raw block data, two threads; baseline: the slower of a bare scan of the"
                    + " body rows (%.0f MB/s) and bare zstd of them (%.0f MB/s); %s",
                rawBytes / 1e6, scanning.baseline(), compressing.baseline(), archiveShares)),
        Figure.of(
            "archive until safe, " + chain,
            "MB/s",
            archivingUntilSafe,
            Aim.none(),
            "the same without deleting and compaction"),
        Figure.of(
            "restore, " + chain,
            "MB/s",
            restoring,
            Aim.atLeast(0.7),
            "two threads; baseline: the same rows in synced batches of 8 MiB on a copy of the block"
                + " database; "
                + restoreShares),
        Figure.of(
            "disk after archiving 90 %, " + chain,
            "MB",
            disk,
            Aim.atMost(1.1),
            Notes.format(
                "the whole directory; baseline: the rows left in new, compacted stores; block"
                    + " database alone: %.1f to %.1f MB",
                blockDisk.ours(), blockDisk.baseline())),
        Figure.of(
            "stored archive to raw, " + chain,
            "MB",
            stored,
            Aim.none(),
            "all files of the archive to the raw block data of normal blocks; this chain is made up,"
                + " a third of it noise"));
  }
}
