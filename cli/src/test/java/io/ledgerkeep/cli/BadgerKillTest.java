package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills the sidecar of a node that commits, archives and restores, and the node with it, at random
 * instants. A node whose sidecar was killed goes on by itself; of what was acknowledged nothing is
 * lost.
 */
@Timeout(600)
final class BadgerKillTest {

  private static final int BLOCKS = 300;

  @TempDir private Path directory;
  private Place place;

  @BeforeAll
  static void requireSidecar() {
    BadgerLedgerTest.requireSidecar();
  }

  @BeforeEach
  void start() {
    place =
        new Place(
            directory,
            directory.resolve("data"),
            directory.resolve("archive"),
            "reserve_bytes: 0",
            "provider: badgerdb");
  }

  @Test
  void aNodeWhoseSidecarIsKilledGoesOn() throws Exception {
    killSidecars(4, System.nanoTime());
  }

  @Test
  void aNodeKilledTogetherWithItsSidecarLosesNothing() throws Exception {
    killBoth(2, System.nanoTime());
  }

  @Test
  @Tag("long")
  @Timeout(3600)
  void manyKillsLoseNothing() throws Exception {
    killSidecars(60, System.nanoTime());
    killBoth(60, System.nanoTime());
  }

  private void killSidecars(int kills, long seed) throws Exception {
    System.out.println("kills of sidecars by seed " + seed);
    Random random = new Random(seed);
    Path file = file();
    ready();
    long acknowledged = -1;
    try (Child node = Child.of(Node.busy(place, file, random.nextLong()))) {
      readLines(node, 1);
      for (int kill = 0; kill < kills; kill++) {
        acknowledged = Math.max(acknowledged, readLines(node, 20 + random.nextInt(40)));
        kill(sidecar(node));
      }
      acknowledged = Math.max(acknowledged, readLines(node, 60));
      node.signal("KILL");
      node.awaitExit();
    }
    assertHolds(acknowledged);
  }

  private void killBoth(int kills, long seed) throws Exception {
    System.out.println("kills of both by seed " + seed);
    Random random = new Random(seed);
    Path file = file();
    ready();
    for (int kill = 0; kill < kills; kill++) {
      try (Child node = Child.of(Node.busy(place, file, random.nextLong()))) {
        long acknowledged = readLines(node, 10 + random.nextInt(60));
        ProcessHandle sidecar = sidecar(node);
        if (random.nextBoolean()) {
          kill(sidecar);
          node.signal("KILL");
        } else {
          node.signal("KILL");
          kill(sidecar);
        }
        node.awaitExit();
        assertHolds(acknowledged);
      }
    }
  }

  private Path file() throws Exception {
    return Files.writeString(directory.resolve("chain.jsonl"), Place.chain(BLOCKS));
  }

  private void ready() {
    if (!Files.exists(place.data)) {
      assertThat(place.run("init").exitCode()).isZero();
    }
  }

  /** Returns the highest height that the node said is committed. */
  private static long readLines(Child node, int lines) throws Exception {
    long acknowledged = -1;
    for (int i = 0; i < lines; i++) {
      String line = node.outLine();
      if (line == null) {
        throw new AssertionError("the node ended: " + node.finish().err());
      }
      if (line.startsWith(Node.COMMITTED)) {
        acknowledged = Long.parseLong(line.substring(Node.COMMITTED.length()));
      }
    }
    return acknowledged;
  }

  private static ProcessHandle sidecar(Child node) {
    List<ProcessHandle> children = ProcessHandle.of(node.pid()).orElseThrow().children().toList();
    assertThat(children).hasSize(1);
    return children.get(0);
  }

  private static void kill(ProcessHandle process) {
    process.destroyForcibly();
    process.onExit().join();
  }

  private void assertHolds(long acknowledged) throws Exception {
    Run status = place.run("status", "--json");
    assertThat(status.exitCode()).as(status.err()).isZero();
    long height = (Long) status.json().get("height");
    assertThat(height).isGreaterThanOrEqualTo(acknowledged);
    aftermath((int) height + 1).assertNothingIsLost();
  }

  private Aftermath aftermath(int blocks) {
    return new Aftermath(place, Place.chain(blocks));
  }
}
