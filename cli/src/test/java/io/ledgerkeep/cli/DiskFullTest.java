package io.ledgerkeep.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.ledgerkeep.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
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
  private static final int DISK_MEBIBYTES = 40;
  private static final long RESERVE_BYTES = 6 * MEBIBYTE;
  private static final int BLOCKS = 300;

  /** What is more than the disk holds. */
  private static final List<Block> CHAIN = LargeBlocks.chain(BLOCKS, 64 << 10);

  @TempDir private Path directory;
  private OwnDisk disk;
  private Place place;
  private Path file;

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
    file = LargeBlocks.write(directory.resolve("chain.jsonl"), CHAIN);
    assertDone(onLedger("init"));
  }

  @AfterEach
  void unmount() throws Exception {
    if (disk != null) {
      disk.close();
    }
  }

  @Test
  void anImportUntilTheDiskIsFullKeepsWhatItCommitted() throws Exception {
    assertTellsFullDisk(onLedger("import", file), disk.root());
    long height = height();
    assertThat(height).isBetween(20L, BLOCKS - 2L);
    assertHolds(height);

    disk.fill();
    assertTellsFullDisk(onLedger("import", file), disk.root());
    assertThat(height()).isEqualTo(height);
    assertHolds(height);
  }

  @Test
  void everyBlockThatWasAcknowledgedIsThere() throws Exception {
    long acknowledged = -1;
    try (Child node = Child.of(Node.committing(place, file))) {
      Run run = node.finish();
      assertTellsFullDisk(run, disk.root());
      acknowledged = run.out().lines().filter(line -> line.startsWith(Node.COMMITTED)).count() - 1;
    }
    assertThat(acknowledged).isGreaterThan(20);
    assertThat(height()).isEqualTo(acknowledged);
    assertHolds(acknowledged);
  }

  @Test
  void aFullLedgerCanBeArchivedAndThenGoesOn() throws Exception {
    assertTellsFullDisk(onLedger("import", file), disk.root());
    long height = height();
    long target = highestArchivable();
    disk.fill();

    Run archive = onBoth("archive", "--to", target, "--yes");
    assertDone(archive);
    assertThat(archive.err()).contains("reserve").contains("was released");
    assertPivotIs(target);
    for (String database : List.of("block", "state", "history")) {
      assertThat(place.data.resolve(database).resolve("RESERVE")).hasSize(RESERVE_BYTES);
    }
    assertHolds(height);

    Run more = onLedger("import", file);
    assertTellsFullDisk(more, disk.root());
    assertThat(height()).isGreaterThan(height);
    disk.makeRoom();
    assertHolds(height());
  }

  @Test
  void aFullArchiveDiskLosesNothingAndServesAgainWhenThereIsRoom() throws Exception {
    onLedger("import", file);
    long height = height();
    long target = highestArchivable();
    try (OwnDisk archiveDisk = OwnDisk.inMemory(place.archive, 2)) {
      Run archive = onBoth("archive", "--to", target, "--yes");
      assertTellsFullDisk(archive, place.archive);
      assertPivotIs(0);
      assertHolds(height);
      assertThat(filesOf(place.archive)).allMatch(name -> name.endsWith("manifest/0000000000"));
    }
    try (OwnDisk archiveDisk = OwnDisk.inMemory(place.archive, DISK_MEBIBYTES)) {
      assertDone(onBoth("archive", "--to", target, "--yes"));
      assertPivotIs(target);
      assertHolds(height);
    }
  }

  @Test
  void aRestoreOntoAFullDiskStopsAtWhatItDidAndGoesOnWhenThereIsRoom() throws Exception {
    onLedger("import", file);
    long height = height();
    long target = highestArchivable();
    assertDone(onBoth("archive", "--to", target, "--yes"));
    disk.fillUpTo(9 * MEBIBYTE);

    Run restore = onBoth("restore", "--down-to", 1, "--yes");
    assertTellsFullDisk(restore, disk.root());
    assertThat(pivot()).isBetween(1L, target);
    assertHolds(height);
    disk.fill();
    assertDone(onBoth("archive", "--to", target, "--yes"));
    assertPivotIs(target);

    disk.makeRoom();
    assertDone(onBoth("restore", "--down-to", 1, "--yes"));
    assertPivotIs(0);
    assertHolds(height);
  }

  @Test
  void anExportToAFullDiskLeavesTheOldFileAndNothingElse() throws Exception {
    onLedger("import", file);
    Path old = Files.writeString(disk.root().resolve("export.jsonl"), "the old content\n");
    disk.fill();
    List<String> before = filesOf(disk.root());
    assertTellsFullDisk(onLedger("export", old), old);
    assertThat(old).hasContent("the old content");
    assertThat(filesOf(disk.root())).isEqualTo(before);
  }

  // ------------------------------------------------------------------------------------ helpers

  private Run onLedger(Object... args) throws Exception {
    return Run.apart(place.withData(args));
  }

  private Run onBoth(Object... args) throws Exception {
    return Run.apart(place.withBoth(args));
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
    assertDone(onBoth("export", exported));
    assertThat(Files.mismatch(exported, expected)).isEqualTo(-1);
    assertDone(onBoth("verify", "--level", "ledger"));
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
    Run status = onLedger("status", "--json");
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
