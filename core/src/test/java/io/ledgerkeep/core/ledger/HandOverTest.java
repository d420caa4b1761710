package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobPlan;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyArchiveStore;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a restore hands bodies over from the archive to the node: what was put back stays. */
final class HandOverTest {

  private static final long TARGET = 380;

  private final List<Block> blocks =
      SampleChain.builder().seed(5).payloadBytes(20_000).build().blocks(400).toList();

  private final InMemoryArchiveStore store = new InMemoryArchiveStore();

  @TempDir Path directory;

  @Test
  void aRestoreLowersThePivotNowAndThen() {
    World world = archived();
    try (Ledger ledger = world.open(settings(world, 64 << 10))) {
      long before = world.plan.calls(Call.WRITE);
      ledger.restorer().restore(RestoreRequest.downTo(1));
      long often = world.plan.calls(Call.WRITE) - before;
      assertThat(often).isGreaterThan(writesOfARestoreThatLowersItOnce());
    }
  }

  private long writesOfARestoreThatLowersItOnce() {
    World world = archived("once");
    try (Ledger ledger = world.open(settings(world, Long.MAX_VALUE))) {
      long before = world.plan.calls(Call.WRITE);
      ledger.restorer().restore(RestoreRequest.downTo(1));
      return world.plan.calls(Call.WRITE) - before;
    }
  }

  @Test
  void thePlanOfARunThatTakesSegmentsOverNeedsNoRoomForThem() {
    World world = archived();
    try (Ledger ledger = world.open(settings(world, Long.MAX_VALUE))) {
      ledger.restorer().restore(RestoreRequest.downTo(1));
      JobPlan plan = ledger.archiver().plan(ArchiveRequest.upTo(TARGET));
      assertThat(plan.bytesToMove()).isPositive();
      assertThat(plan.bytesNeeded()).isZero();
    }
  }

  @Test
  void whatWasPutBackBeforeAnyFailureStays() {
    World world = archived();
    Settings settings = settings(world, Long.MAX_VALUE);
    settings.verifier =
        block -> {
          if (block.height() == 50) {
            throw new ArithmeticException("the node's own rule is broken");
          }
        };
    try (Ledger ledger = world.open(settings)) {
      assertThatExceptionOfType(ArithmeticException.class)
          .isThrownBy(() -> ledger.restorer().restore(RestoreRequest.downTo(1)));
      assertThat(ledger.archivedHeight()).isBetween(50L, TARGET - 1);
      assertThat(ledger.block(TARGET)).contains(blocks.get((int) TARGET));
    }
  }

  /** Moving the pivot needs next to no room; all that was put back depends on it. */
  @Test
  void onAFullDiskTheReserveMovesThePivot() {
    World world = archived();
    Settings settings = settings(world, Long.MAX_VALUE);
    settings.reserveBytes = 50_000;
    try (Ledger ledger = world.open(settings)) {
      long writes = world.plan.calls(Call.WRITE);
      world.plan.at(Call.WRITE, writes + 3, Fault.OUT_OF_SPACE); // a batch of bodies
      world.plan.at(Call.WRITE, writes + 4, Fault.OUT_OF_SPACE); // the pivot
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> ledger.restorer().restore(RestoreRequest.downTo(1)))
          .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
      assertThat(ledger.archivedHeight()).isBetween(1L, TARGET - 1);
      assertThat(ledger.block(TARGET)).contains(blocks.get((int) TARGET));
    }
  }

  /** Only who has the archive can discard what an attempt left there. */
  @Test
  void aJobWithoutTheArchiveForgetsNoAttempt() {
    World world = new World(directory.resolve("ledger"));
    FaultPlan storePlan = new FaultPlan();
    Settings settings = settings(world, Long.MAX_VALUE);
    settings.store = new Settings.BuiltStore(new FaultyArchiveStore(store, storePlan));
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(blocks);
      storePlan.from(Call.STORE_GET, storePlan.calls(Call.STORE_GET) + 3, Fault.FAIL);
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(TARGET)));
    }
    assertThat(segments()).hasSize(1);

    Settings withoutArchive = settings(world, Long.MAX_VALUE);
    withoutArchive.store = null;
    try (Ledger ledger = world.open(withoutArchive)) {
      ledger.restorer().restore(RestoreRequest.downTo(1));
      assertThat(ledger.status().job()).isEqualTo("archive (interrupted)");
    }
    try (Ledger ledger = world.open(settings(world, Long.MAX_VALUE))) {
      ledger.archiver().archive(ArchiveRequest.upTo(TARGET));
      assertThat(segments())
          .isEqualTo(ledger.archive().segments().stream().map(Archive.Segment::name).toList());
    }
  }

  private List<String> segments() {
    return store.list("").stream().filter(name -> name.endsWith(".lks")).toList();
  }

  private World archived() {
    return archived("ledger");
  }

  private World archived(String name) {
    World world = new World(directory.resolve(name));
    try (Ledger ledger = world.open(settings(world, Long.MAX_VALUE))) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(TARGET));
    }
    return world;
  }

  private Settings settings(World world, long handOverBytes) {
    Settings settings = world.settings();
    settings.store = new Settings.BuiltStore(store);
    settings.unarchivedBlocks = 10L;
    settings.handOverBytes = handOverBytes;
    return settings;
  }
}
