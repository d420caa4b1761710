package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.error.ConfigurationException;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.testkit.FaultPlan;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.MachineCrash;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A ledger is made whole or not at all, and never where something else is. */
final class CreationTest {

  private static final List<Block> BLOCKS = SampleChain.ofSeed(2).blocks(5).toList();

  @TempDir Path temporary;

  private static Set<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return new TreeSet<>(files.map(path -> path.getFileName().toString()).toList());
    }
  }

  private static void assertUsable(World world) {
    try (Ledger ledger = world.open()) {
      ledger.commitAll(BLOCKS);
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
    try (Ledger ledger = world.open()) {
      assertThat(ledger.height()).isEqualTo(4);
    }
  }

  @Test
  void aNewLedgerIsWhatItIs() throws IOException {
    World world = new World(temporary.resolve("deep/down/ledger"));
    try (Ledger ledger = world.open()) {
      assertThat(ledger.status().chainId()).isEqualTo("chain1");
      assertThat(ledger.status().digest()).isEqualTo("sha256");
      assertThat(ledger.status().formatVersion()).isEqualTo(1);
      assertThat(ledger.status().compatibilityVersion()).isEqualTo("0.1");
      assertThat(ledger.status().ledgerId()).matches("[0-9a-f]{32}");
    }
    assertThat(names(world.directory))
        .containsExactly("LAYOUT", "LOCK", "block", "history", "state", "status.json");
    World other = new World(temporary.resolve("other"));
    try (Ledger ledger = world.open();
        Ledger another = other.open()) {
      assertThat(ledger.status().ledgerId()).isNotEqualTo(another.status().ledgerId());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FAIL", "LOSE_ANSWER", "CRASH_AFTER"})
  void whateverEndsACreationTheNextOneSucceeds(Fault fault) {
    World counting = new World(temporary.resolve("counting"));
    counting.open().close();
    long calls = counting.plan.calls(Call.ALL);
    assertThat(calls).isGreaterThan(12);
    for (long n = 1; n <= calls; n++) {
      World world = new World(temporary.resolve("ledger " + n), n);
      world.plan = new FaultPlan().whenCrashing(world.disk::crash).at(Call.ALL, n, fault);
      try {
        world.open().close();
      } catch (MachineCrash e) {
        world.crash(null);
      } catch (StorageException e) {
        assertThat(fault).isNotEqualTo(Fault.CRASH_AFTER);
      }
      try (Ledger ledger = world.open()) {
        ledger.commitAll(BLOCKS);
        assertThat(ledger.block(4)).contains(BLOCKS.get(4));
      }
      world.disk.assertAllClosed();
    }
  }

  /** The files that a kill between two steps of the creation leaves. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "LOCK",
        "LOCK CREATING.new",
        "LOCK CREATING",
        "LOCK CREATING CREATING.new",
        "LOCK CREATING block/db/000001.log",
        "LOCK CREATING block/db/000001.log state/db/x history/db/x LAYOUT.new",
        "LOCK CREATING status.json.new",
        "LOCK status.json",
      })
  void whateverFilesAnInterruptedCreationLeftTheNextOneSucceeds(String files) throws IOException {
    World world = new World(temporary.resolve("ledger"));
    Files.createDirectory(world.directory);
    for (String file : files.isEmpty() ? new String[0] : files.split(" ")) {
      Files.createDirectories(world.directory.resolve(file).getParent());
      Files.createFile(world.directory.resolve(file));
    }
    assertUsable(world);
    assertThat(names(world.directory))
        .containsExactly("LAYOUT", "LOCK", "block", "history", "state", "status.json");
    assertThat(world.directory.resolve("block/db/000001.log")).doesNotExist();
  }

  @Test
  void aMarkerBesideALayoutIsOnlyTheMarker() throws IOException {
    World world = new World(temporary.resolve("ledger"));
    assertUsable(world);
    Files.createFile(world.directory.resolve("CREATING"));
    try (Ledger ledger = world.open()) {
      assertThat(ledger.height()).isEqualTo(4);
    }
    assertThat(world.directory.resolve("CREATING")).doesNotExist();
  }

  @Test
  void aDirectoryOfOtherThingsIsRefusedAndLeftAsItIs() throws IOException {
    World world = new World(temporary.resolve("home"));
    Files.createDirectories(world.directory.resolve("photos"));
    Files.createFile(world.directory.resolve("diary.txt"));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(world::open)
        .withMessageContainingAll("home", "diary.txt", "photos", "empty directory");
    assertThat(names(world.directory)).containsExactly("diary.txt", "photos");
  }

  /** The databases may be all that is left of a ledger: nobody begins anew on top of them. */
  @Test
  void aLedgerWithoutItsLayoutIsRefusedAndLeftAsItIs() throws IOException {
    World world = new World(temporary.resolve("ledger"));
    assertUsable(world);
    Path aside = Files.move(world.directory.resolve("LAYOUT"), temporary.resolve("LAYOUT"));
    Set<String> before = names(world.directory);
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(world::open)
        .withMessageContaining("no LAYOUT");
    assertThat(names(world.directory)).isEqualTo(before);
    Files.move(aside, world.directory.resolve("LAYOUT"));
    try (Ledger ledger = world.open()) {
      Replay.of(BLOCKS).assertToldBy(ledger);
    }
  }

  @Test
  void aFileIsNoDirectory() throws IOException {
    World world = new World(Files.createFile(temporary.resolve("file")));
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(world::open)
        .withMessageContaining("is a file, not a directory");
  }
}
