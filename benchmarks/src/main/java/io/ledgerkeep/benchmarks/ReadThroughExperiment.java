package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.ArchiveRequest;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What it takes to read one archived transaction through, at random. */
final class ReadThroughExperiment implements Experiment {

  private static final int WARM_UP_ROUNDS = 1;
  private static final int FIRST_READS = 10;

  private final Chain chain;
  private final int readsPerRound;
  private final Workspace workspace = Workspace.ofThisProcess();
  private final Path directory = workspace.path("ours");
  private final Path archive = workspace.path("archive");

  ReadThroughExperiment(Chain chain) {
    this.chain = chain;
    this.readsPerRound = chain == Chain.SMALL ? 1000 : 100;
  }

  /** A transaction and its row on the node before it was archived. */
  private record Read(String id, Bytes row) {}

  @Override
  public List<Figure> run(Setting setting) {
    List<Read> reads = makeLedger(setting);
    workspace.copy(Ledgers.store(directory, Database.BLOCK), "bare");
    archive(chain.length(setting));
    workspace.settle();
    List<Figure> figures = new ArrayList<>(first(reads, setting.rounds()));
    figures.add(goingOn(reads, setting.rounds()));
    return figures;
  }

  /** A ledger that was just opened reads one transaction, again and again. */
  private List<Figure> first(List<Read> reads, int rounds) {
    Rounds micros = new Rounds();
    Rounds bytes = new Rounds();
    Rounds calls = new Rounds();
    for (int round = 0; round < rounds; round++) {
      Stopwatch ours = new Stopwatch();
      Stopwatch bareGets = new Stopwatch();
      long bytesRead = 0;
      long payloadBytes = 0;
      long storeCalls = 0;
      for (Read read : reads.subList(round * FIRST_READS, (round + 1) * FIRST_READS)) {
        try (CountingStore store = CountingStore.open(archive);
            Ledger ledger = open(store)) {
          ours.time(() -> readThrough(ledger, read));
          bytesRead += store.bytesRead();
          storeCalls += store.reads();
          payloadBytes += readThrough(ledger, read);
        }
        try (BareStore bare = BareStore.open(workspace.path("bare"))) {
          bareGets.time(() -> bare.get(read.row()));
        }
      }
      micros.add(ours.seconds() * 1e6 / FIRST_READS, bareGets.seconds() * 1e6 / FIRST_READS);
      bytes.add((double) bytesRead / FIRST_READS, (double) payloadBytes / FIRST_READS);
      calls.add((double) storeCalls / FIRST_READS, 1);
    }
    return List.of(
        Figure.of(
            "first read through of a transaction, " + chain,
            "µs",
            micros,
            Aim.none(),
            "the first read of a ledger just opened, proven against the node's root; baseline: the"
                + " first bare get of its row, before it was archived"),
        Figure.of(
            "bytes of a first read through, " + chain,
            "bytes",
            bytes,
            Aim.none(),
            Notes.format(
                "read from the store, the end of the manifest and of the segment included, in %.1f"
                    + " calls; baseline: the payload",
                calls.ours())));
  }

  /** A ledger that is in use reads transactions at random. */
  private Figure goingOn(List<Read> reads, int rounds) {
    Rounds micros = new Rounds();
    long bytesRead = 0;
    try (CountingStore store = CountingStore.open(archive);
        Ledger ledger = open(store);
        BareStore bare = BareStore.open(workspace.path("bare"))) {
      for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
        int from = (round + WARM_UP_ROUNDS) * readsPerRound;
        List<Read> some = reads.subList(from, from + readsPerRound);
        Stopwatch ours = new Stopwatch();
        Stopwatch bareGets = new Stopwatch();
        long before = store.bytesRead();
        Turns.take(
            round,
            () -> ours.time(() -> some.forEach(read -> readThrough(ledger, read))),
            () -> bareGets.time(() -> some.forEach(read -> bare.get(read.row()))));
        if (round >= 0) {
          micros.add(
              ours.seconds() * 1e6 / readsPerRound, bareGets.seconds() * 1e6 / readsPerRound);
          bytesRead += store.bytesRead() - before;
        }
      }
    }
    return Figure.of(
        "read a transaction through, " + chain,
        "µs",
        micros,
        Aim.none(),
        Notes.format(
            "one after the other at random, %.0f bytes read from the store for each; baseline: one"
                + " bare get of its row, before it was archived",
            (double) bytesRead / rounds / readsPerRound));
  }

  private Ledger open(CountingStore store) {
    return Ledgers.at(directory).archiveStore(store).readThrough(true).openExisting();
  }

  private static int readThrough(Ledger ledger, Read read) {
    Transaction found = ledger.transaction(read.id()).orElseThrow();
    return found.payload().size();
  }

  private List<Read> makeLedger(Setting setting) {
    int count = (setting.rounds() + WARM_UP_ROUNDS) * readsPerRound;
    long length = chain.length(setting);
    long target = Chain.ninetyPercent(length);
    Random random = new Random(7);
    List<Read> sample = new ArrayList<>();
    long[] seen = {0};
    Ledgers.make(
        directory,
        chain,
        length,
        block -> {
          if (block.kind() == Block.Kind.NORMAL && block.height() <= target) {
            seen[0]++;
            int place = sample.size() < count ? sample.size() : (int) random.nextLong(seen[0]);
            if (place == sample.size()) {
              sample.add(read(block, random));
            } else if (place < count) {
              sample.set(place, read(block, random));
            }
          }
        });
    List<Read> reads = new ArrayList<>();
    while (reads.size() < count) {
      reads.add(sample.get(random.nextInt(sample.size())));
    }
    return reads;
  }

  /** Chooses a transaction of the block; its row lies where docs/format.md says. */
  private static Read read(Block block, Random random) {
    int ordinal = random.nextInt(block.transactions().size());
    ByteBuffer key = ByteBuffer.allocate(14).put((byte) 3).putLong(block.height()).putInt(ordinal);
    return new Read(block.transactions().get(ordinal).id(), Bytes.wrap(key.put((byte) 0).array()));
  }

  private void archive(long length) {
    try (Ledger ledger =
        Ledgers.at(directory)
            .archiveStore(Ledgers.STORE, Ledgers.archiveAt(archive))
            .openExisting()) {
      ledger.archiver().archive(ArchiveRequest.upTo(Chain.ninetyPercent(length)));
    }
  }
}
