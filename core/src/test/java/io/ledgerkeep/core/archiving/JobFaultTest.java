package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.chain.ChainKeys;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.storage.StorageEngineProvider;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyArchiveStore;
import io.ledgerkeep.testkit.FaultyStorage;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Lets every single call that a job makes of its engines and its store go wrong, one after the
 * other, in every way: afterwards every block is still there, and the job run again ends as if
 * nothing had happened, with nothing left over on the node or in the archive.
 */
final class JobFaultTest {

  private static final int TARGET = 20;

  @TempDir Path directory;

  private final List<Block> blocks =
      SampleChain.builder()
          .seed(3)
          .configAt(h -> h == 1 || h == 9)
          .transactionsPerBlock(1)
          .build()
          .blocks(32)
          .toList();

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverCallOfAnArchiveRunGoesWrongNothingIsLost(Fault fault) {
    everyCall(fault, "archive", ledger -> {}, JobFaultTest::archive, TARGET);
  }

  /** It takes a segment over before it writes one, and hands over what it has when it fails. */
  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverCallOfALaterArchiveRunGoesWrongNothingIsLost(Fault fault) {
    everyCall(
        fault,
        "later",
        ledger -> {
          ledger.archiver().archive(ArchiveRequest.upTo(8));
          restoreAll(ledger);
        },
        JobFaultTest::archive,
        TARGET);
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverCallOfARestoreGoesWrongNothingIsLost(Fault fault) {
    everyCall(fault, "restore", JobFaultTest::archive, JobFaultTest::restore, 4);
  }

  private static void archive(Ledger ledger) {
    ledger.archiver().archive(ArchiveRequest.upTo(TARGET));
  }

  private static void restoreAll(Ledger ledger) {
    ledger.restorer().restore(RestoreRequest.downTo(1));
  }

  private static void restore(Ledger ledger) {
    ledger.restorer().restore(RestoreRequest.downTo(5));
  }

  private void everyCall(
      Fault fault, String name, Consumer<Ledger> before, Consumer<Ledger> job, long pivot) {
    long n = 1;
    while (oneCall(fault, directory.resolve(name + n), n, before, job, false, pivot)) {
      oneCall(fault, directory.resolve(name + n + "-on"), n, before, job, true, pivot);
      n++;
    }
    assertThat(n).as("calls that went wrong").isGreaterThan(10);
  }

  /**
   * Returns whether the job made so many calls.
   *
   * @param goOn whether the ledger is used for another job before it is opened again
   */
  private boolean oneCall(
      Fault fault,
      Path place,
      long n,
      Consumer<Ledger> before,
      Consumer<Ledger> job,
      boolean goOn,
      long pivot) {
    MemoryDisk disk = new MemoryDisk(n);
    InMemoryArchiveStore store = new InMemoryArchiveStore();
    try (Ledger ledger = open(place, new InMemoryStorage(disk), store)) {
      ledger.commitAll(blocks);
      before.accept(ledger);
    }

    FaultPlan plan = new FaultPlan().whenCrashing(disk::crash);
    boolean went = runWithFault(fault, place, n, disk, store, plan, job, goOn);

    try (Ledger ledger = open(place, new InMemoryStorage(disk), store.reopen())) {
      assertEverythingIsThere(ledger, fault + " at call " + n);
      job.accept(ledger);
      assertThat(ledger.archivedHeight()).isEqualTo(pivot);
      assertThat(ledger.status().job()).isEmpty();
      assertEverythingIsThere(ledger, "the job run again after " + fault + " at call " + n);
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      assertThat(segmentsIn(store))
          .as("segments after %s at call %d", fault, n)
          .isEqualTo(listedBy(ledger));
    }
    assertThat(bodies(place, disk, pivot))
        .as("bodies up to the pivot after %s at call %d", fault, n)
        .isEmpty();
    return went;
  }

  private static List<String> segmentsIn(InMemoryArchiveStore store) {
    return store.reopen().list("").stream().filter(name -> name.endsWith(".lks")).toList();
  }

  private static List<String> listedBy(Ledger ledger) {
    return ledger.archive().segments().stream().map(Archive.Segment::name).toList();
  }

  /** Returns what the closed ledger still has of bodies that are the archive's. */
  private static List<Bytes> bodies(Path place, MemoryDisk disk, long pivot) {
    List<Bytes> keys = new ArrayList<>();
    try (StorageEngine engine =
            new InMemoryStorage(disk).open(place.resolve("block").resolve("db"), Options.none());
        StorageEngine.Cursor cursor = engine.scan(ChainKeys.bodies(0, pivot))) {
      while (cursor.next()) {
        keys.add(cursor.key());
      }
    }
    return keys;
  }

  /** Runs the job; calls are counted from when the ledger is open. */
  private boolean runWithFault(
      Fault fault,
      Path place,
      long n,
      MemoryDisk disk,
      InMemoryArchiveStore store,
      FaultPlan plan,
      Consumer<Ledger> job,
      boolean goOn) {
    Ledger ledger = null;
    try {
      ledger =
          open(
              place,
              new FaultyStorage(new InMemoryStorage(disk), plan),
              new FaultyArchiveStore(store.reopen(), plan));
      plan.at(Call.ALL, plan.calls(Call.ALL) + n, fault);
      long before = plan.calls(Call.ALL);
      try {
        job.accept(ledger);
      } catch (LedgerkeepException | MachineCrash e) {
        // what is left is what counts
        if (goOn) {
          plan.repair();
          archiveLess(ledger);
        }
      }
      return plan.calls(Call.ALL) - before >= n;
    } finally {
      closeWhateverHappened(ledger, plan);
    }
  }

  private static void archiveLess(Ledger ledger) {
    try {
      ledger.archiver().archive(ArchiveRequest.upTo(2));
    } catch (LedgerkeepException | IllegalStateException | MachineCrash e) {
      // a ledger may refuse to go on
    }
  }

  private static void closeWhateverHappened(Ledger ledger, FaultPlan plan) {
    plan.repair();
    try {
      if (ledger != null) {
        ledger.close();
      }
    } catch (LedgerkeepException | IllegalStateException | MachineCrash e) {
      // a machine that crashed closes nothing
    }
  }

  private void assertEverythingIsThere(Ledger ledger, String when) {
    for (Block block : blocks) {
      assertThat(ledger.block(block.height())).as(when).contains(block);
    }
  }

  private static Ledger open(Path place, StorageEngineProvider provider, ArchiveStore store) {
    return Ledgerkeep.builder()
        .directory(place)
        .storage(provider, Options.none())
        .archiveStore(store)
        .unarchivedBlocks(10)
        .readThrough(true)
        .reserveBytes(0)
        .open();
  }
}
