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
    Path copy = workspace.copy(Ledgers.store(directory, Database.BLOCK), "bare");
    archive(chain.length(setting));
    workspace.settle();
    Rounds micros = new Rounds();
    Rounds bytes = new Rounds();
    Rounds calls = new Rounds();
    try (CountingStore store = CountingStore.open(archive);
        Ledger ledger =
            Ledgers.at(directory).archiveStore(store).readThrough(true).openExisting();
        BareStore bare = BareStore.open(copy)) {
      for (int round = 0; round <= setting.rounds(); round++) {
        List<Read> some = reads.subList(round * readsPerRound, (round + 1) * readsPerRound);
        Stopwatch ours = new Stopwatch();
        Stopwatch bareGets = new Stopwatch();
        long bytesBefore = store.bytesRead();
        long callsBefore = store.reads();
        long[] size = {0};
        Turns.take(
            round,
            () -> ours.time(() -> some.forEach(read -> size[0] += readThrough(ledger, read))),
            () -> bareGets.time(() -> some.forEach(read -> bare.get(read.row()))));
        boolean warm = round > 0;
        if (warm) {
          micros.add(perRead(ours.seconds() * 1e6), perRead(bareGets.seconds() * 1e6));
          bytes.add(perRead(store.bytesRead() - bytesBefore), perRead(size[0]));
          calls.add(perRead(store.reads() - callsBefore), 1);
        }
      }
    }
    return List.of(
        Figure.of(
            "read a transaction through, " + chain,
            "µs",
            micros,
            Aim.none(),
            "each at random, proven against the node's root; baseline: one bare get of its row"
                + " before it was archived"),
        Figure.of(
            "bytes read through, " + chain,
            "bytes",
            bytes,
            Aim.none(),
            Notes.format(
                "read from the store for one transaction, in %.1f calls; baseline: its payload; what"
                    + " is cached meanwhile counts for nothing",
                calls.ours())));
  }

  private double perRead(double sum) {
    return sum / readsPerRound;
  }

  private static int readThrough(Ledger ledger, Read read) {
    Transaction found = ledger.transaction(read.id()).orElseThrow();
    return found.payload().size();
  }

  private List<Read> makeLedger(Setting setting) {
    int count = (setting.rounds() + 1) * readsPerRound;
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
    return new Read(
        block.transactions().get(ordinal).id(), Bytes.wrap(key.put((byte) 0).array()));
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
