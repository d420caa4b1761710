package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.BiFunction;

/** How many blocks and transactions a second are read at random. */
final class ReadExperiment implements Experiment {

  private static final int WARM_UP_ROUNDS = 2;

  private final Chain chain;
  private final int readsPerRound;

  ReadExperiment(Chain chain) {
    this.chain = chain;
    this.readsPerRound = chain == Chain.SMALL ? 10_000 : 500;
  }

  /** A read of the ledger and the rows it takes. */
  private record Read(long height, String txId, List<Bytes> blockRows, List<Bytes> txRows) {}

  @Override
  public List<Figure> run(Setting setting) {
    Workspace workspace = Workspace.ofThisProcess();
    Path directory = workspace.path("ours");
    List<Read> reads = makeLedger(directory, setting);
    Path copy = workspace.copy(Ledgers.store(directory, Database.BLOCK), "bare");
    workspace.settle();
    Rounds blocks = new Rounds();
    Rounds transactions = new Rounds();
    Rounds rowsOnly = new Rounds();
    try (Ledger ledger = Ledgers.at(directory).openExisting();
        BareStore bare = BareStore.open(copy)) {
      for (int round = 0; round < WARM_UP_ROUNDS + setting.rounds(); round++) {
        List<Read> some = reads.subList(round * readsPerRound, (round + 1) * readsPerRound);
        Stopwatch ourBlocks = new Stopwatch();
        Stopwatch bareBlocks = new Stopwatch();
        Turns.take(
            round,
            () -> ourBlocks.time(() -> some.forEach(read -> readBlock(ledger, read))),
            () -> bareBlocks.time(() -> some.forEach(read -> get(bare, read.blockRows()))));
        Stopwatch ourTransactions = new Stopwatch();
        Stopwatch bareTransactions = new Stopwatch();
        Turns.take(
            round,
            () -> ourTransactions.time(() -> some.forEach(read -> readTransaction(ledger, read))),
            () -> bareTransactions.time(() -> some.forEach(read -> get(bare, read.txRows()))));
        Stopwatch bareRows = new Stopwatch();
        bareRows.time(() -> some.forEach(read -> get(bare, firstAndLast(read.txRows()))));
        if (round >= WARM_UP_ROUNDS) {
          add(blocks, ourBlocks, bareBlocks);
          add(transactions, ourTransactions, bareTransactions);
          add(rowsOnly, ourTransactions, bareRows);
        }
      }
    }
    return List.of(
        Figure.of(
            "read a block, " + chain,
            "reads/s",
            blocks,
            Aim.atLeast(0.8),
            "baseline: bare gets of the same "
                + reads.get(0).blockRows().size()
                + " rows, a get each"),
        Figure.of(
            "read a transaction, " + chain,
            "reads/s",
            transactions,
            Aim.atLeast(0.8),
            Notes.format(
                "baseline: bare gets of the same %s rows; %.2f of bare gets of index entry and"
                    + " transaction alone, without the meta",
                reads.get(0).txRows().size(), rowsOnly.ratio())));
  }

  private void add(Rounds rounds, Stopwatch ours, Stopwatch bare) {
    rounds.add(readsPerRound / ours.seconds(), readsPerRound / bare.seconds());
  }

  private static void readBlock(Ledger ledger, Read read) {
    if (ledger.block(read.height()).isEmpty()) {
      throw new IllegalStateException("no block " + read.height());
    }
  }

  private static void readTransaction(Ledger ledger, Read read) {
    if (ledger.transaction(read.txId()).isEmpty()) {
      throw new IllegalStateException("no transaction of block " + read.height());
    }
  }

  private static void get(BareStore store, List<Bytes> keys) {
    for (Bytes key : keys) {
      if (store.get(key) < 0) {
        throw new IllegalStateException("no row");
      }
    }
  }

  private static List<Bytes> firstAndLast(List<Bytes> rows) {
    return List.of(rows.get(0), rows.get(rows.size() - 1));
  }

  /** Makes the ledger, chooses the reads and looks what rows the ledger reads for each. */
  private List<Read> makeLedger(Path directory, Setting setting) {
    long length = chain.length(setting);
    List<Long> heights = new ArrayList<>();
    Random random = new Random(7);
    while (heights.size() < (WARM_UP_ROUNDS + setting.rounds()) * readsPerRound) {
      heights.add(random.nextLong(1, length));
    }
    Map<Long, String> ids = new HashMap<>();
    heights.forEach(height -> ids.put(height, ""));
    Ledgers.make(
        directory, chain, length, block -> ids.computeIfPresent(block.height(), idOf(block)));
    List<Bytes> rows = new ArrayList<>();
    RecordingEngine.Listener listener =
        new RecordingEngine.Listener() {
          @Override
          public void read(Bytes key) {
            rows.add(key);
          }
        };
    List<Read> reads = new ArrayList<>();
    try (Ledger ledger =
        Ledgers.at(directory)
            .storage(
                new WrappedStorage(
                    (database, engine) -> new RecordingEngine(database, engine, listener)),
                EngineSettings.ofLedger())
            .openExisting()) {
      for (long height : heights) {
        String id = Objects.requireNonNull(ids.get(height));
        rows.clear();
        ledger.block(height);
        List<Bytes> blockRows = List.copyOf(rows);
        rows.clear();
        ledger.transaction(id);
        reads.add(new Read(height, id, blockRows, List.copyOf(rows)));
      }
    }
    return reads;
  }

  private static BiFunction<Long, String, String> idOf(Block block) {
    return (height, none) ->
        block.transactions().get((int) (height % block.transactions().size())).id();
  }
}
