package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A small disk that is really full, and the real command line on it, in a process of its own: a
 * database that writes where there is no room would end it by a signal.
 */
@Timeout(300)
final class DiskFullTest {

  private static final int MEBIBYTE = 1 << 20;
  private static final int DISK_MEBIBYTES = 46;
  private static final long RESERVE_BYTES = 8 * MEBIBYTE;
  private static final int BLOCKS = 300;

  /** How a shell tells that Java gave itself up. */
  private static final int ABORTED = 134;

  /** What is more than the disk holds. */
  private static final List<Block> CHAIN = LargeBlocks.chain(BLOCKS, 64 << 10);

  @TempDir private static Path files;
  private static Path file;

  @TempDir private Path directory;
  private OwnDisk disk;
  private Place place;

  @BeforeAll
  static void writeChain() throws IOException {
    file = LargeBlocks.write(files.resolve("chain.jsonl"), CHAIN);
  }

  @BeforeEach
  void makeLedgerOnASmallDisk() throws Exception {
    disk = OwnDisk.inMemory(directory.resolve("disk"), DISK_MEBIBYTES);
    place =
        new Place(
            directory,
            disk.root().resolve("data"),
            directory.resolve("archive"),
            "reserve_bytes: " + RESERVE_BYTES,
            "leveldb:",
            "  write-buffer-bytes: 262144",
            "  low-space-bytes: 1048576");
    assertDone(place.run("init")); // there is room yet
  }

  @AfterEach
  void unmount() throws Exception {
    if (disk != null) {
      disk.close();
    }
  }

  @Test
  void anImportUntilTheDiskIsFullKeepsWhatItCommitted() throws Exception {
    assertTellsFullDisk(apart("import", file), disk.root());
    long height = height();
    assertThat(height).isBetween(20L, BLOCKS - 2L);
    assertHolds(height);

    disk.fill();
    assertTellsFullDisk(apart("import", file), disk.root());
    disk.makeRoom();
    assertHolds(height);
  }

  @Test
  void everyBlockThatWasAcknowledgedIsThere() throws Exception {
    try (Child node = Child.of(Node.committing(place, file))) {
      Run run = node.finish();
      assertTellsFullDisk(run, disk.root());
      long acknowledged = run.out().lines().count() - 1;
      assertThat(run.out()).endsWith(Node.COMMITTED + acknowledged + "\n");
      assertThat(acknowledged).isGreaterThan(20);
      assertHolds(acknowledged);
    }
  }

  /**
   * LevelDB cannot bear that others take the room it was promised, so the node may die of it; what
   * it said is committed is there.
   */
  @Test
  void whoeverFillsTheDiskUnderANodeTakesNothingFromIt() throws Exception {
    long acknowledged = -1;
    try (Child node = Child.of(Node.committing(place, file))) {
      for (String line = node.outLine(); line != null; line = node.outLine()) {
        // A JVM that is aborted says so on standard output, too.
        if (line.startsWith(Node.COMMITTED)) {
          acknowledged = Long.parseLong(line.substring(Node.COMMITTED.length()));
          if (acknowledged == 30) {
            disk.fill();
          }
        }
      }
      assertThat(node.awaitExit()).isIn(ExitCode.FAILED, ABORTED);
    }
    disk.makeRoom();
    assertThat(acknowledged).isGreaterThanOrEqualTo(30);
    assertThat(height()).isBetween(acknowledged, acknowledged + 1);
    assertHolds(height());
  }

  @Test
  void aFullLedgerCanBeArchivedAndGoesOn() throws Exception {
    long full = importUntilFull();
    assertDone(apart("archive", "--to", highestArchivable(), "--yes"));
    long fullAgain = importUntilFull();
    assertThat(fullAgain).isGreaterThan(full);
    assertHolds(fullAgain);
  }

  @Test
  void onADiskWithoutAByteLeftTheReserveLetsALedgerBeArchived() throws Exception {
    long height = importUntilFull();
    long target = highestArchivable();
    disk.fill();

    Run archive = apart("archive", "--to", target, "--yes");
    assertDone(archive);
    assertThat(archive.err()).contains("the reserve").contains("was released");
    assertPivotIs(target);
    assertThat(place.data.resolve("block").resolve("RESERVE")).hasSize(RESERVE_BYTES);
    disk.makeRoom();
    assertHolds(height);
    for (String database : List.of("block", "state", "history")) {
      assertThat(place.data.resolve(database).resolve("RESERVE")).hasSize(RESERVE_BYTES);
    }
    assertThat(importUntilFull()).isGreaterThan(height);
  }

  @Test
  void onADiskWithoutAByteLeftMoreBlocksCanBeGivenFreeToArchive() throws Exception {
    keepOnTheNode(100);
    long height = importUntilFull();
    assertThat(highestArchivable()).isEqualTo(height - 100);
    disk.fill();
    keepOnTheNode(50);
    assertDone(apart("archive", "--to", height - 50, "--yes"));
    assertPivotIs(height - 50);
    assertHolds(height);
  }

  @Test
  void whatABlockThatDidNotFitLeftIsSweptAwayAlsoWithoutAByteLeft() throws Exception {
    disk.resize(DISK_MEBIBYTES - 6);
    List<Block> blocks = new ArrayList<>(CHAIN.subList(0, 3));
    blocks.add(LargeBlocks.after(blocks.get(2), 10 * MEBIBYTE));
    Path large = LargeBlocks.write(directory.resolve("large.jsonl"), blocks);
    assertTellsFullDisk(apart("import", large), disk.root());
    disk.fill();
    assertDone(apart("status"));
    assertHolds(2);
    disk.makeRoom();
    disk.resize(2 * DISK_MEBIBYTES);
    assertDone(apart("import", large));
    assertDone(apart("export", directory.resolve("exported.jsonl")));
    assertThat(Files.mismatch(large, directory.resolve("exported.jsonl"))).isEqualTo(-1);
  }

  @Test
  void aFullArchiveDiskLosesNothingAndServesAgainWhenThereIsRoom() throws Exception {
    long height = importUntilFull();
    long target = highestArchivable();
    try (OwnDisk archiveDisk = OwnDisk.inMemory(place.archive, 2)) {
      assertTellsFullDisk(apart("archive", "--to", target, "--yes"), archiveDisk.root());
      assertThat(filesOf(archiveDisk.root())).allMatch(name -> name.contains("/manifest/"));
      assertPivotIs(0);
      assertHolds(height);
    }
    try (OwnDisk archiveDisk = OwnDisk.inMemory(place.archive, DISK_MEBIBYTES)) {
      assertDone(apart("archive", "--to", target, "--yes"));
      assertPivotIs(target);
      assertHolds(height);
    }
  }

  @Test
  void aRestoreOntoAFullDiskStopsAtWhatItDidAndGoesOnWhenThereIsRoom() throws Exception {
    long height = importUntilFull();
    long target = highestArchivable();
    assertDone(apart("archive", "--to", target, "--yes"));
    disk.fillUpTo(14 * MEBIBYTE);

    assertTellsFullDisk(apart("restore", "--down-to", 1, "--yes"), disk.root());
    assertThat(pivot()).isBetween(1L, target - 1);
    assertHolds(height);
    disk.fill();
    assertDone(apart("archive", "--to", target, "--yes"));
    assertPivotIs(target);

    disk.makeRoom();
    assertDone(apart("restore", "--down-to", 1, "--yes"));
    assertPivotIs(0);
    assertHolds(height);
  }

  @Test
  void anExportToAFullDiskLeavesTheOldFileAndNothingElse() throws Exception {
    importUntilFull();
    try (OwnDisk other = OwnDisk.inMemory(directory.resolve("other"), 2)) {
      assertExportIsRefused(other, "no space left");
    }
    assertExportIsRefused(disk, "the disk of the ledger, which needs");
  }

  private void assertExportIsRefused(OwnDisk target, String reason) throws Exception {
    Path old = Files.writeString(target.root().resolve("export.jsonl"), "the old content\n");
    Run export = apart("export", old);
    assertTellsFullDisk(export, old);
    assertThat(export.err()).contains(reason);
    assertThat(old).hasContent("the old content");
    assertThat(filesOf(target.root()))
        .filteredOn(name -> !name.startsWith("data/"))
        .containsExactly("export.jsonl");
  }

  // ------------------------------------------------------------------------------------ helpers

  private Run apart(Object... args) throws Exception {
    return Run.apart(place.withBoth(args));
  }

  private void keepOnTheNode(int blocks) throws IOException {
    String key = "unarchive_block_height: ";
    String settings = Files.readString(place.config);
    Files.writeString(place.config, settings.replaceAll(key + "[0-9]+", key + blocks));
  }

  private long importUntilFull() throws Exception {
    assertTellsFullDisk(apart("import", file), disk.root());
    return height();
  }

  private static void assertDone(Run run) {
    assertThat(run.exitCode()).as(run.err()).isZero();
  }

  /** Says where room is missing and what to do; for a database also how much. */
  private void assertTellsFullDisk(Run run, Path where) {
    assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.FAILED);
    assertThat(run.err()).contains(where.toString()).contains("make room");
    if (where.equals(disk.root())) {
      assertThat(run.err()).containsPattern("needs [0-9]+ bytes .* and [0-9]+ are free");
    }
  }

  /** All blocks up to the height, and no more, are on the node or in the archive. */
  private void assertHolds(long height) throws Exception {
    Path exported = directory.resolve("exported.jsonl");
    Path expected = directory.resolve("expected.jsonl");
    LargeBlocks.write(expected, CHAIN.subList(0, (int) height + 1));
    assertDone(
        Several.apart(
            place.withBoth("export", exported), place.withBoth("verify", "--level", "ledger")));
    assertThat(Files.mismatch(exported, expected)).isEqualTo(-1);
  }

  private void assertPivotIs(long height) throws Exception {
    assertThat(pivot()).isEqualTo(height);
  }

  private long height() throws Exception {
    return status("height");
  }

  private long pivot() throws Exception {
    return status("archivedHeight");
  }

  private long highestArchivable() throws Exception {
    return status("highestArchivableHeight");
  }

  private long status(String field) throws Exception {
    Run status = apart("status", "--json");
    assertDone(status);
    return (Long) status.json().get(field);
  }

  private static List<String> filesOf(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString())
          .sorted()
          .toList();
    }
  }
}
