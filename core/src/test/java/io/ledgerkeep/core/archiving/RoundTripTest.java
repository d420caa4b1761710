package io.ledgerkeep.core.archiving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Database;
import io.ledgerkeep.KeyRange;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Ledgerkeep;
import io.ledgerkeep.Options;
import io.ledgerkeep.archive.Archive;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.archive.RestoreRequest;
import io.ledgerkeep.archive.Verification;
import io.ledgerkeep.archive.Verification.Level;
import io.ledgerkeep.error.ArchivedException;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.storage.StorageEngine;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.InMemoryStorage;
import io.ledgerkeep.testkit.MemoryDisk;
import io.ledgerkeep.testkit.SampleChain;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Archives and restores at random heights; whatever the order, nothing is lost or changed. */
final class RoundTripTest {

  private static final int BLOCKS = 80;
  private static final int UNARCHIVED = 10;

  @TempDir Path directory;

  static Stream<Arguments> chains() {
    Map<String, LongPredicate> configs =
        Map.of(
            "no config blocks", h -> false,
            "the first blocks are config blocks", h -> h < 4,
            "every other block is a config block", h -> h % 2 == 0,
            "config blocks in runs", h -> h % 10 >= 6,
            "all blocks but two are config blocks", h -> h != 30 && h != 31);
    List<Arguments> chains = new ArrayList<>();
    for (var config : new TreeMap<>(configs).entrySet()) {
      for (long seed = 1; seed <= 2; seed++) {
        chains.add(Arguments.of(config.getKey(), config.getValue(), seed));
      }
    }
    return chains.stream();
  }

  @ParameterizedTest(name = "{0}, seed {2}")
  @MethodSource("chains")
  void nothingIsLostOrChangedByArchivesAndRestoresAtRandomHeights(
      String name, LongPredicate config, long seed) {
    MemoryDisk disk = new MemoryDisk(seed);
    InMemoryArchiveStore store = new InMemoryArchiveStore();
    Random random = new Random(seed);
    List<Block> blocks =
        SampleChain.builder().seed(seed).configAt(config).build().blocks(BLOCKS).toList();
    try (Ledger ledger = open(disk, store, random.nextBoolean())) {
      ledger.commitAll(blocks);
    }
    Map<Database, Map<Bytes, Bytes>> before = rows(disk);

    for (int round = 0; round < 8; round++) {
      boolean readThrough = random.nextBoolean();
      try (Ledger ledger = open(disk, store, readThrough)) {
        long height = random.nextInt(BLOCKS);
        if (random.nextBoolean()) {
          archive(ledger, blocks, height);
        } else {
          restore(ledger, blocks, height);
        }
        assertReads(ledger, blocks, readThrough);
        assertThat(ledger.verify(Verification.Request.of(Level.LEDGER)).findings()).isEmpty();
      }
    }

    try (Ledger ledger = open(disk, store, false)) {
      ledger.restorer().restore(RestoreRequest.downTo(0));
      assertThat(ledger.archivedHeight()).isZero();
      assertReads(ledger, blocks, false);
    }
    assertThat(rows(disk)).isEqualTo(before);
  }

  private static void archive(Ledger ledger, List<Block> blocks, long target) {
    long pivot = ledger.archivedHeight();
    Block.Kind kind = blocks.get((int) target).kind();
    boolean isProtected =
        target > pivot && (kind != Block.Kind.NORMAL || target > BLOCKS - 1 - UNARCHIVED);
    if (isProtected) {
      assertThatThrownBy(() -> ledger.archiver().archive(ArchiveRequest.upTo(target)))
          .isInstanceOf(ConflictException.class);
      assertThatThrownBy(() -> ledger.archiver().plan(ArchiveRequest.upTo(target)))
          .isInstanceOf(ConflictException.class);
      assertThat(ledger.archivedHeight()).isEqualTo(pivot);
    } else {
      var plan = ledger.archiver().plan(ArchiveRequest.upTo(target));
      var report = ledger.archiver().archive(ArchiveRequest.upTo(target));
      assertThat(ledger.archivedHeight()).isEqualTo(Math.max(pivot, target));
      assertThat(report.blocks()).isEqualTo(plan.blocks());
      assertThat(report.bytesMoved()).isEqualTo(plan.bytesToMove());
    }
  }

  private static void restore(Ledger ledger, List<Block> blocks, long lowest) {
    long pivot = ledger.archivedHeight();
    var plan = ledger.restorer().plan(RestoreRequest.downTo(lowest));
    var report = ledger.restorer().restore(RestoreRequest.downTo(lowest));
    assertThat(report.blocks()).isEqualTo(plan.blocks());
    assertThat(ledger.archivedHeight())
        .isEqualTo(lowest > pivot ? pivot : highestNormalBelow(blocks, Math.max(1, lowest)));
  }

  private static long highestNormalBelow(List<Block> blocks, long height) {
    for (long at = height - 1; at > 0; at--) {
      if (blocks.get((int) at).kind() == Block.Kind.NORMAL) {
        return at;
      }
    }
    return 0;
  }

  private static void assertReads(Ledger ledger, List<Block> blocks, boolean readThrough) {
    for (Block block : blocks) {
      long height = block.height();
      boolean archived = block.kind() == Block.Kind.NORMAL && height <= ledger.archivedHeight();
      assertThat(ledger.meta(height)).isPresent();
      if (archived && !readThrough) {
        assertThatThrownBy(() -> ledger.block(height))
            .isInstanceOf(ArchivedException.class)
            .hasMessage("archived block");
        for (var transaction : block.transactions()) {
          assertThatThrownBy(() -> ledger.transaction(transaction.id()))
              .hasMessage("archived transaction");
          assertThatThrownBy(() -> ledger.rwSet(transaction.id())).hasMessage("archived RWSet");
        }
      } else {
        assertThat(ledger.block(height)).contains(block);
        for (int i = 0; i < block.transactions().size(); i++) {
          String id = block.transactions().get(i).id();
          assertThat(ledger.transaction(id)).contains(block.transactions().get(i));
          assertThat(ledger.rwSet(id)).contains(block.rwSets().get(i));
        }
      }
    }
    if (ledger.archivedHeight() > 0) {
      assertTheArchiveStandsAlone(ledger.archive(), blocks);
    }
  }

  private static void assertTheArchiveStandsAlone(Archive archive, List<Block> blocks) {
    assertThat(archive.verify(Verification.Request.of(Level.CONTENT)).findings()).isEmpty();
    for (Block block : blocks) {
      boolean held = block.height() <= archive.lastHeight();
      assertThat(archive.block(block.height()).isPresent()).isEqualTo(held);
      if (held) {
        assertThat(archive.blockByHash(block.hash())).contains(block);
        for (int i = 0; i < block.transactions().size(); i++) {
          String id = block.transactions().get(i).id();
          assertThat(archive.transaction(id)).contains(block.transactions().get(i));
          assertThat(archive.rwSet(id)).contains(block.rwSets().get(i));
        }
      }
    }
  }

  /** All keys and values, the records of table 01 aside: pivot, job, checkpoints. */
  private Map<Database, Map<Bytes, Bytes>> rows(MemoryDisk disk) {
    Map<Database, Map<Bytes, Bytes>> all = new TreeMap<>();
    for (Database database : Database.values()) {
      Path store = directory.resolve(database.lowerCaseName()).resolve("db");
      Map<Bytes, Bytes> rows = new TreeMap<>();
      try (StorageEngine engine = new InMemoryStorage(disk).open(store, Options.none());
          StorageEngine.Cursor cursor = engine.scan(KeyRange.atLeast(Bytes.wrap(new byte[] {2})))) {
        while (cursor.next()) {
          rows.put(cursor.key(), cursor.value());
        }
      }
      all.put(database, rows);
    }
    assertThat(Files.exists(directory.resolve("LAYOUT"))).isTrue();
    return all;
  }

  private Ledger open(MemoryDisk disk, InMemoryArchiveStore store, boolean readThrough) {
    return Ledgerkeep.builder()
        .directory(directory)
        .storage(new InMemoryStorage(disk), Options.none())
        .archiveStore(store)
        .unarchivedBlocks(UNARCHIVED)
        .readThrough(readThrough)
        .reserveBytes(0)
        .open();
  }
}
