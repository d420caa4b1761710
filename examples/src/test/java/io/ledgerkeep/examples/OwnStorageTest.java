package io.ledgerkeep.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.FaultyStorage;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How do I test a node that embeds a ledger? On the engine of the testkit, which keeps everything
 * in memory, outlives the ledger, and crashes and fails as planned; no database, no mock.
 */
final class OwnStorageTest {

  private static final int BLOCKS = 8;

  private final SampleChain chain = SampleChain.ofSeed(7);
  private final MemoryDisk disk = new MemoryDisk(7);

  @TempDir Path directory;

  @AfterEach
  void nothingIsLeftOpen() {
    disk.assertAllClosed();
  }

  @Test
  void itKnowsWhatTheLedgerHas() throws IOException {
    try (Ledger ledger = open(new FaultPlan())) {
      OwnStorage own = own();
      chain.blocks(BLOCKS).forEach(ledger::commit);

      assertThat(own.follow(ledger)).isEqualTo(BLOCKS);
      assertThat(own.payloadBytes()).isEqualTo(payloadBytes(chain, BLOCKS));
      assertThat(own().follow(ledger)).as("what was kept is kept").isZero();
    }
  }

  @Test
  void afterACrashAtAnyStepItFollows() throws IOException {
    FaultPlan counting = new FaultPlan();
    commitAndFollow(counting);
    long steps = counting.calls(Call.CHANGES);

    assertThat(steps).isGreaterThan(BLOCKS);
    for (long n = 1; n <= steps; n++) {
      Path former = directory;
      directory = Path.of(former.toString(), "step-" + n);
      crashAndFollow(new FaultPlan().at(Call.CHANGES, n, Fault.CRASH_AFTER));
      directory = former;
    }
  }

  private void crashAndFollow(FaultPlan plan) throws IOException {
    try {
      commitAndFollow(plan.whenCrashing(disk::crash));
    } catch (MachineCrash expected) {
      // What is left is looked at below.
    }
    try (Ledger ledger = open(new FaultPlan())) {
      OwnStorage own = own();
      own.follow(ledger);

      assertThat(own.payloadBytes())
          .as("%s, %s", plan, disk)
          .isEqualTo(payloadBytes(chain, ledger.height() + 1));
    }
  }

  @Test
  void aLedgerThatWasRolledBackIsFollowedAnew() throws IOException {
    SampleChain other = chain.branch(BLOCKS / 2, 8);
    commitAndFollow(new FaultPlan());
    Path file = file();
    directory = directory.resolve("other");
    try (Ledger ledger = open(new FaultPlan())) {
      other.blocks(BLOCKS).forEach(ledger::commit);
      OwnStorage own = new OwnStorage(file);

      assertThat(own.follow(ledger)).isEqualTo(BLOCKS);
      assertThat(own.payloadBytes()).isEqualTo(payloadBytes(other, BLOCKS));
    }
  }

  private void commitAndFollow(FaultPlan plan) throws IOException {
    OwnStorage own = own();
    try (Ledger ledger = open(plan)) {
      List<Block> blocks = chain.blocks(BLOCKS).toList();
      for (Block block : blocks) {
        ledger.commit(block);
        own.follow(ledger);
      }
    }
  }

  private Ledger open(FaultPlan plan) {
    return Ledgerkeep.builder()
        .directory(directory.resolve("data"))
        .storage(new FaultyStorage(new InMemoryStorage(disk), plan), Options.none())
        .reserveBytes(0)
        .open();
  }

  private OwnStorage own() throws IOException {
    return new OwnStorage(file());
  }

  private Path file() {
    return directory.resolve("node").resolve("payloads");
  }

  private static long payloadBytes(SampleChain chain, long blocks) {
    return chain
        .blocks(blocks)
        .flatMap(block -> block.transactions().stream())
        .mapToLong(transaction -> transaction.payload().size())
        .sum();
  }
}
