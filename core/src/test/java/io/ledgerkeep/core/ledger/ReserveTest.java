package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Database;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.error.StorageException;
import io.ledgerkeep.job.JobReport;
import io.ledgerkeep.testkit.FaultPlan.Call;
import io.ledgerkeep.testkit.FaultPlan.Fault;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReserveTest {

  private static final long BYTES = (1 << 20) + 5;

  @TempDir Path directory;

  private Path file() {
    return directory.resolve("RESERVE");
  }

  @Test
  void theRoomIsTakenAndGivenBack() throws IOException {
    Reserve reserve = new Reserve(directory, BYTES);
    assertThat(reserve.release()).isFalse();
    reserve.take();
    assertThat(file()).hasSize(BYTES);
    assertThat(reserve.release()).isTrue();
    assertThat(file()).doesNotExist();
    assertThat(reserve.release()).isFalse();
    reserve.take();
    assertThat(file()).hasSize(BYTES);
    assertThat(Files.list(directory)).containsExactly(file());
  }

  /** Some file systems store zeros, and what can be compressed, for nothing. */
  @Test
  void theRoomIsFilledWithNoise() throws IOException {
    new Reserve(directory, BYTES).take();
    byte[] content = Files.readAllBytes(file());
    int[] counts = new int[256];
    for (byte b : content) {
      counts[b & 0xFF]++;
    }
    double expected = content.length / 256.0;
    assertThat(Arrays.stream(counts).max().orElseThrow()).isLessThan((int) (expected * 1.2));
    assertThat(Arrays.stream(counts).min().orElseThrow()).isGreaterThan((int) (expected * 0.8));
  }

  @Test
  void roomThatIsTakenIsLeftAlone() throws IOException {
    Reserve reserve = new Reserve(directory, BYTES);
    reserve.take();
    Object before = Files.readAttributes(file(), "unix:ino").get("ino");
    reserve.take();
    new Reserve(directory, BYTES).take();
    assertThat(Files.readAttributes(file(), "unix:ino").get("ino")).isEqualTo(before);
  }

  @Test
  void anotherSizeReplacesTheFile() {
    new Reserve(directory, BYTES).take();
    new Reserve(directory, 1000).take();
    assertThat(file()).hasSize(1000);
    new Reserve(directory, 2000).take();
    assertThat(file()).hasSize(2000);
    new Reserve(directory, 0).take();
    assertThat(file()).doesNotExist();
    assertThat(new Reserve(directory, 0).release()).isFalse();
  }

  @Test
  void whatAKillLeftBesideItIsGivenBackToo() throws IOException {
    Files.write(directory.resolve("RESERVE.new"), new byte[5000]);
    assertThat(new Reserve(directory, BYTES).release()).isTrue();
    assertThat(directory).isEmptyDirectory();
    Files.write(directory.resolve("RESERVE.new"), new byte[5000]);
    new Reserve(directory, Long.MAX_VALUE / 4).take();
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void wherethereIsTooLittleRoomItIsLeftForLater() {
    new Reserve(directory, Long.MAX_VALUE / 4).take();
    assertThat(file()).doesNotExist();
  }

  @Test
  void noMoreIsGivenBackThanIsNeeded() throws IOException {
    ReservedRoom room = roomOfThree();
    AtomicInteger calls = new AtomicInteger();
    room.during(
        () -> {
          if (calls.incrementAndGet() < 3) {
            throw outOfSpace();
          }
        });
    assertThat(calls).hasValue(3);
    assertThat(filesOfThree()).containsExactly("2/RESERVE");
    assertThatExceptionOfType(StorageException.class)
        .isThrownBy(
            () ->
                room.during(
                    () -> {
                      throw outOfSpace();
                    }));
    assertThat(filesOfThree()).isEmpty();
  }

  @Test
  void whatWasGivenBackIsTakenBackAndNothingElse() throws IOException {
    ReservedRoom room = roomOfThree();
    AtomicInteger calls = new AtomicInteger();
    room.during(
        () -> {
          if (calls.incrementAndGet() == 1) {
            throw outOfSpace();
          }
        });
    Files.delete(directory.resolve("1/RESERVE"));
    room.takeBack();
    assertThat(filesOfThree()).containsExactly("0/RESERVE", "2/RESERVE");
  }

  private ReservedRoom roomOfThree() throws IOException {
    List<Reserve> reserves = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Path home = Files.createDirectory(directory.resolve(Integer.toString(i)));
      reserves.add(new Reserve(home, BYTES));
    }
    ReservedRoom room = new ReservedRoom(reserves);
    room.refill();
    return room;
  }

  private List<String> filesOfThree() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(found -> directory.relativize(found).toString())
          .sorted()
          .toList();
    }
  }

  private static StorageException outOfSpace() {
    return new StorageException(StorageException.Kind.OUT_OF_SPACE, "full");
  }

  @Test
  void aDirectoryThatIsGoneIsNoFailure() {
    new Reserve(directory.resolve("gone"), BYTES).take();
    assertThat(directory).isEmptyDirectory();
  }

  // ------------------------------------------------------------------------------------ a ledger

  private static final int RESERVE_BYTES = 50_000;

  /** A disk on which the reserve files take their room from the stores. */
  private World small(long bytes) {
    World world = new World(directory.resolve("ledger"));
    world.disk.limitBytes(() -> bytes - reserved(world));
    return world;
  }

  private static long reserved(World world) {
    long sum = 0;
    for (Database database : Database.values()) {
      Path file = world.directory.resolve(database.lowerCaseName()).resolve("RESERVE");
      try {
        sum += Files.exists(file) ? Files.size(file) : 0;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return sum;
  }

  private static Settings settings(World world) {
    Settings settings = world.settings();
    settings.reserveBytes = RESERVE_BYTES;
    return settings;
  }

  @Test
  void everyDatabaseKeepsAReserveThatIsNoPartOfItsSize() {
    World world = new World(directory.resolve("ledger"));
    try (Ledger ledger = world.open(settings(world))) {
      assertThat(reserved(world)).isEqualTo(3 * RESERVE_BYTES);
      assertThat(ledger.status().bytesOnDisk())
          .allSatisfy((database, bytes) -> assertThat(bytes).isLessThan(RESERVE_BYTES));
    }
    assertThat(reserved(world)).isEqualTo(3 * RESERVE_BYTES);
    world.open().close();
    assertThat(reserved(world)).isZero();
  }

  /**
   * The disk is full, blocks are committed that state never saw: opening needs room, and has it.
   */
  @Test
  void aFullLedgerOpensByItsReserve() {
    World world = small(400_000);
    List<Block> blocks = SampleChain.ofSeed(1).blocks(2000).toList();
    Ledger ledger = world.open(settings(world));
    StorageException full = null;
    for (Block block : blocks) {
      try {
        ledger.commit(block);
      } catch (StorageException e) {
        full = e;
        break;
      }
    }
    assertThat(full).isNotNull();
    assertThat(full.isOutOfSpace()).isTrue();
    long committed = full.committedHeight().orElse(ledger.height());
    assertThat(committed).isGreaterThan(20);
    assertThat(reserved(world)).as("a commit never takes it").isEqualTo(3 * RESERVE_BYTES);
    world.crash(ledger);

    // what state and history lost has to be written again on a disk that has no room
    world.disk.limitBytes(() -> 400_000 - 60_000 - reserved(world));
    try (Ledger again = world.open(settings(world))) {
      assertThat(again.height()).isEqualTo(committed);
      Replay.of(blocks.subList(0, (int) committed + 1)).assertToldBy(again);
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> again.commitAll(blocks))
          .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
    } catch (StorageException e) {
      assertThat(e.isOutOfSpace()).as("closing on a full disk").isTrue();
    }
    world.disk.limitBytes(Long.MAX_VALUE);
    try (Ledger again = world.open(settings(world))) {
      again.commitAll(blocks);
      assertThat(reserved(world)).as("refilled once there is room").isEqualTo(3 * RESERVE_BYTES);
      assertThat(again.block(1999)).contains(blocks.get(1999));
    }
  }

  /** Deletes and what is recorded of them need room, which the reserve gives and takes again. */
  @Test
  void aFullLedgerIsArchivedByItsReserve() {
    World world = new World(directory.resolve("ledger"));
    Settings settings = archiving(world);
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(SampleChain.ofSeed(3).blocks(100).toList());
      long full = world.disk.usedBytes() + reserved(world);
      world.disk.limitBytes(() -> full - reserved(world));
      JobReport report = ledger.archiver().archive(ArchiveRequest.upTo(60));
      assertThat(report.archivedHeightAfter()).isEqualTo(60);
      assertThat(reserved(world)).as("taken again").isEqualTo(3 * RESERVE_BYTES);
      world.disk.limitBytes(Long.MAX_VALUE);
    }
  }

  @Test
  void aJobThatFailsForAnotherReasonKeepsTheReserve() {
    World world = new World(directory.resolve("ledger"));
    try (Ledger ledger = world.open(archiving(world))) {
      ledger.commitAll(SampleChain.ofSeed(3).blocks(100).toList());
      long next = world.plan.calls(Call.DELETE_RANGE) + 1;
      world.plan.at(Call.DELETE_RANGE, next, Fault.FAIL);
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(60)));
      assertThat(reserved(world)).isEqualTo(3 * RESERVE_BYTES);
    }
  }

  /** Whichever of its writes first meets the full disk, the run comes to its end. */
  @Test
  void anArchiveRunTakesTheReserveAtAnyOfItsSteps() {
    int steps = 0;
    for (boolean met = true; met; steps++) {
      World world = new World(directory.resolve("ledger" + steps));
      HookedStorage storage = new HookedStorage(world.disk, world.limits);
      Settings settings = archiving(world);
      settings.engine = storage.settings(world).engine;
      try (Ledger ledger = world.open(settings)) {
        ledger.commitAll(SampleChain.ofSeed(3).blocks(100).toList());
        AtomicInteger left = new AtomicInteger(steps);
        storage.hook =
            call -> {
              boolean writes = call.equals("block write") || call.equals("block delete");
              if (writes && left.getAndDecrement() == 0) {
                long full = world.disk.usedBytes() + reserved(world);
                world.disk.limitBytes(() -> full - reserved(world));
              }
            };
        ledger.archiver().archive(ArchiveRequest.upTo(60));
        assertThat(ledger.archivedHeight()).as("full at step %d", steps).isEqualTo(60);
        assertThat(ledger.status().job()).as("full at step %d", steps).isEmpty();
        assertThat(reserved(world)).as("full at step %d", steps).isEqualTo(3 * RESERVE_BYTES);
        met = left.get() < 0;
        world.disk.limitBytes(Long.MAX_VALUE);
      }
    }
    assertThat(steps).isGreaterThan(4);
  }

  /** What it would put there could not be archived away any more. */
  @Test
  void aRestoreNeverTakesTheReserve() {
    World world = new World(directory.resolve("ledger"));
    Settings settings = archiving(world);
    List<Block> blocks = SampleChain.ofSeed(3).blocks(100).toList();
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(blocks);
      ledger.archiver().archive(ArchiveRequest.upTo(60));
      long full = world.disk.usedBytes() + reserved(world) + 2000;
      world.disk.limitBytes(() -> full - reserved(world));
      assertThatExceptionOfType(StorageException.class)
          .isThrownBy(() -> ledger.restorer().restore(RestoreRequest.downTo(1)))
          .satisfies(e -> assertThat(e.isOutOfSpace()).isTrue());
      assertThat(reserved(world)).isEqualTo(3 * RESERVE_BYTES);
      world.disk.limitBytes(Long.MAX_VALUE);
      ledger.restorer().restore(RestoreRequest.downTo(1));
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  private static Settings archiving(World world) {
    Settings settings = settings(world);
    settings.store = new Settings.BuiltStore(new InMemoryArchiveStore());
    settings.unarchivedBlocks = 10L;
    return settings;
  }
}
