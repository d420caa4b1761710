package io.ledgerkeep.benchmarks;

import io.ledgerkeep.Block;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.storage.WriteBatch;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * A ledger and three bare stores that hold the same rows and grow together. A second ledger, never
 * measured, tells what rows those are: so the measured one is exactly what a user opens.
 */
final class SideBySide implements AutoCloseable {

  /** A batch as the ledger wrote it. */
  record Written(Database database, WriteBatch batch, boolean durable) {}

  private final Chain chain;
  private final Iterator<Block> blocks;
  private final ExecutorService threads =
      Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());

  private final Ledger ours;
  private final Ledger recorder;
  private final Map<Database, BareStore> bare = new EnumMap<>(Database.class);
  private List<Written> written = new ArrayList<>();

  SideBySide(Workspace workspace, Chain chain) {
    this.chain = chain;
    this.blocks = chain.blocks();
    ours = Ledgers.at(workspace.path("ours")).executor(threads).open();
    for (Database database : Database.values()) {
      bare.put(database, BareStore.open(workspace.path("bare-" + database.lowerCaseName())));
    }
    RecordingEngine.Listener listener =
        new RecordingEngine.Listener() {
          @Override
          public void wrote(Database database, WriteBatch batch, boolean durable) {
            written.add(new Written(database, batch, durable));
          }
        };
    recorder =
        Ledgers.at(workspace.path("recorder"))
            .storage(
                new WrappedStorage(
                    (database, engine) -> new RecordingEngine(database, engine, listener)),
                EngineSettings.ofLedger())
            .open();
  }

  /** Lets both sides grow by so many blocks. */
  void grow(long count) {
    for (long done = 0; done < count; done += chain.blocksAtOnce) {
      List<Block> next = next(Math.min(chain.blocksAtOnce, count - done));
      ours.commitAll(next);
      for (Written batch : record(next, recorder::commitAll)) {
        store(batch.database()).write(batch.batch(), false);
      }
    }
  }

  List<Block> next(long count) {
    return Chain.next(blocks, count);
  }

  Ledger ours() {
    return ours;
  }

  List<Written> recordOneByOne(List<Block> some) {
    return record(some, list -> list.forEach(recorder::commit));
  }

  List<Written> recordTogether(List<Block> some) {
    return record(some, recorder::commitAll);
  }

  private List<Written> record(List<Block> some, Consumer<List<Block>> commit) {
    written = new ArrayList<>();
    commit.accept(some);
    List<Written> recorded = written;
    written = new ArrayList<>();
    return recorded;
  }

  /** Writes what the ledger wrote, batch by batch, synced where the ledger syncs. */
  void replay(List<Written> batches) {
    for (Written batch : batches) {
      store(batch.database()).write(batch.batch(), batch.durable());
    }
  }

  private BareStore store(Database database) {
    return Objects.requireNonNull(bare.get(database));
  }

  @Override
  public void close() {
    recorder.close();
    ours.close();
    threads.shutdown();
    bare.values().forEach(BareStore::close);
  }
}
