package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.ArchiveStore;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.core.sealing.Keys;
import io.ledgerkeep.encryption.KeyWrapper;
import io.ledgerkeep.error.LedgerkeepException;
import io.ledgerkeep.job.JobControl;
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
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Lets every call that sealing segments anew, or putting the key objects right, makes of engine and
 * store go wrong, one after the other, in every way: at any instant the archive is whole for every
 * holder, and the next run ends as if nothing had happened.
 */
final class ReencryptFaultTest {

  private static final String DROPPED = Keys.OTHER_AES;
  private static final String ADDED = Keys.SM4;

  @TempDir Path directory;

  private final List<Block> blocks =
      SampleChain.builder().seed(3).transactionsPerBlock(1).build().blocks(32).toList();

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverCallOfSealingAnewGoesWrongNothingIsLost(Fault fault) {
    everyCall(
        fault,
        workshop -> workshop.archiving.reconcileKeys(),
        workshop -> workshop.reencryptSegments(JobControl.none()));
  }

  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverCallOfPuttingKeyObjectsRightGoesWrongTheNextRunDoesIt(Fault fault) {
    everyCall(fault, workshop -> {}, workshop -> workshop.archiving.reconcileKeys());
  }

  private void everyCall(Fault fault, Consumer<Workshop> before, Consumer<Workshop> job) {
    long n = 1;
    while (oneCall(fault, n, before, job)) {
      n++;
    }
    assertThat(n).as("calls that went wrong").isGreaterThan(4);
  }

  /** Returns whether the job made so many calls. */
  private boolean oneCall(Fault fault, long n, Consumer<Workshop> before, Consumer<Workshop> job) {
    Path place = directory.resolve(fault + "-" + n);
    MemoryDisk disk = new MemoryDisk(n);
    InMemoryArchiveStore store = new InMemoryArchiveStore();
    Workshop.archived(place, new InMemoryStorage(disk), store, blocks, 8, 14);
    try (Workshop workshop = open(place, new InMemoryStorage(disk), store)) {
      changeHolders(workshop);
      before.accept(workshop);
    }
    FaultPlan plan = new FaultPlan().whenCrashing(disk::crash);
    boolean went = runWithFault(fault, place, n, disk, store, plan, job);
    String when = fault + " at call " + n;

    assertOpens(store, Keys.AES, "aes", when);
    try (Ledger ledger = Workshop.ledger(place, new InMemoryStorage(disk), store.reopen())) {
      assertEverythingIsThere(ledger, when);
    }
    try (Workshop workshop = open(place, new InMemoryStorage(disk), store)) {
      job.accept(workshop);
      workshop.reencryptSegments(JobControl.none());
      assertThat(workshop.chain.job()).as(when).isEmpty();
      assertThat(workshop.keyring.retired()).as(when).isEmpty();
    }
    assertOpens(store, Keys.AES, "aes", when);
    assertOpens(store, ADDED, "sm4", when);
    assertThat(keyObjects(store)).as("two keys for two holders after " + when).hasSize(4);
    try (Ledger ledger = Workshop.ledger(place, new InMemoryStorage(disk), store.reopen())) {
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      assertEverythingIsThere(ledger, "afterwards, after " + when);
      assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings())
          .as(when)
          .isEmpty();
      assertThat(named(store, ".lks"))
          .as("segments after " + when)
          .isEqualTo(ledger.archive().segments().stream().map(Archive.Segment::name).toList());
    }
    deleteAll(place);
    return went;
  }

  /** One more key, one holder more, and one that was there and is not to be any longer. */
  private static void changeHolders(Workshop workshop) {
    try (KeyWrapper dropped = Keys.wrapper("aes", DROPPED);
        KeyWrapper added = Keys.wrapper("sm4", ADDED)) {
      var holder = workshop.encryptor.addHolder("dropped", dropped, Set.of());
      workshop.archiving.reconcileKeys();
      workshop.newArchiveKey("SM4-GCM");
      workshop.encryptor.addHolder("added", added, Set.of());
      workshop.dropHolder(holder);
    }
  }

  private static List<String> keyObjects(InMemoryArchiveStore store) {
    return named(store, ".json").stream().filter(name -> name.contains("/keys/")).toList();
  }

  private static List<String> named(InMemoryArchiveStore store, String end) {
    return store.reopen().list("").stream().filter(name -> name.endsWith(end)).toList();
  }

  private void assertOpens(
      InMemoryArchiveStore store, String master, String provider, String when) {
    try (Archive archive =
        Ledgerkeep.archive()
            .store(store.reopen())
            .encryption(provider, Options.of("key", master))
            .open()) {
      for (Block block : blocks.subList(0, 15)) {
        assertThat(archive.block(block.height())).as(when).contains(block);
      }
    }
  }

  private void assertEverythingIsThere(Ledger ledger, String when) {
    for (Block block : blocks) {
      assertThat(ledger.block(block.height())).as(when).contains(block);
    }
  }

  private boolean runWithFault(
      Fault fault,
      Path place,
      long n,
      MemoryDisk disk,
      InMemoryArchiveStore store,
      FaultPlan plan,
      Consumer<Workshop> job) {
    Workshop workshop =
        open(
            place,
            new FaultyStorage(new InMemoryStorage(disk), plan),
            new FaultyArchiveStore(store.reopen(), plan));
    try {
      Set<Call> calls = callsFor(fault);
      long before = plan.calls(calls);
      plan.at(calls, before + n, fault);
      try {
        job.accept(workshop);
      } catch (LedgerkeepException | MachineCrash e) {
        // what is left is what counts
      }
      return plan.calls(calls) - before >= n;
    } finally {
      plan.repair();
      closeWhateverHappened(workshop);
    }
  }

  /** What goes wrong at a call that changes nothing is what goes wrong after the change before. */
  private static Set<Call> callsFor(Fault fault) {
    return fault == Fault.FAIL ? Call.ALL : Call.CHANGES;
  }

  private static void closeWhateverHappened(Workshop workshop) {
    try {
      workshop.close();
    } catch (LedgerkeepException | IllegalStateException | MachineCrash e) {
      // a machine that crashed closes nothing
    }
  }

  private static Workshop open(Path place, StorageEngineProvider provider, ArchiveStore store) {
    return new Workshop(place, provider, store, Runnable::run);
  }

  private static void deleteAll(Path place) {
    try (Stream<Path> all = Files.walk(place)) {
      for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
