package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node that commits, archives and restores on a disk that loses its power: whatever was not
 * synced is gone, and nothing that the node had acknowledged.
 */
@Tag("long")
@Timeout(1800)
final class PowerCutTest {

  private static final int ROUNDS = 25;
  private static final int BLOCKS = 600;
  private static final int DISK_MEBIBYTES = 256;

  @TempDir private Path directory;

  @Test
  void whatWasAcknowledgedIsThereWhenThePowerIsBack() throws Exception {
    long seed = System.nanoTime();
    System.out.println("power cuts by seed " + seed);
    Random random = new Random(seed);
    Path file = Files.writeString(directory.resolve("chain.jsonl"), Place.chain(BLOCKS));
    Path image = directory.resolve("image");
    try (OwnDisk disk = OwnDisk.inFile(directory.resolve("disk"), image, DISK_MEBIBYTES)) {
      Place place = place(disk);
      assertThat(place.run("init").exitCode()).isZero();
      long acknowledged = -1;
      for (int round = 0; round < ROUNDS; round++) {
        acknowledged = Math.max(acknowledged, runUntilPowerCut(disk, place, file, random));
        disk.startAgain();
        assertThat(height(place)).isGreaterThanOrEqualTo(acknowledged);
        aftermath(place).assertNothingIsLost();
      }
      aftermath(place).assertEqualAfterRestore();
    }
  }

  private Place place(OwnDisk disk) {
    return new Place(
            directory,
            disk.root().resolve("data"),
            disk.root().resolve("archive"),
            "reserve_bytes: 0")
        .apart();
  }

  /** Returns the highest height that the node said is committed. */
  private static long runUntilPowerCut(OwnDisk disk, Place place, Path file, Random random)
      throws Exception {
    long acknowledged = -1;
    try (Child node = Child.of(Node.busy(place, file, random.nextLong()))) {
      int linesBefore = 1 + random.nextInt(60);
      for (int i = 0; i < linesBefore; i++) {
        acknowledged = Math.max(acknowledged, acknowledgedBy(node.outLine()));
      }
      // A random instant is what is tested here; nothing is awaited.
      Thread.sleep(random.nextInt(60));
      while (node.hasOut()) {
        acknowledged = Math.max(acknowledged, acknowledgedBy(node.outLine()));
      }
      // What the node says from now on does not count: with the power its voice would be gone.
      disk.cutPower();
      node.signal("KILL");
      node.awaitExit();
    }
    return acknowledged;
  }

  private static long acknowledgedBy(String line) {
    assertThat(line).as("what the node says next").isNotNull();
    return line.startsWith(Node.COMMITTED)
        ? Long.parseLong(line.substring(Node.COMMITTED.length()))
        : -1;
  }

  private static long height(Place place) {
    Run status = place.run("status", "--json");
    assertThat(status.exitCode()).as(status.err()).isZero();
    return (Long) status.json().get("height");
  }

  private static Aftermath aftermath(Place place) {
    return new Aftermath(place, Place.chain((int) height(place) + 1));
  }
}
