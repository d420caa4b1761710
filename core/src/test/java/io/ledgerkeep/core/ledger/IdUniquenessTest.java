package io.ledgerkeep.core.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.ledgerkeep.Block;
import io.ledgerkeep.Bytes;
import io.ledgerkeep.Ledger;
import io.ledgerkeep.Transaction;
import io.ledgerkeep.archive.ArchiveRequest;
import io.ledgerkeep.error.ConflictException;
import io.ledgerkeep.error.ConflictException.Reason;
import io.ledgerkeep.testkit.InMemoryArchiveStore;
import io.ledgerkeep.testkit.SampleChain;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * No id is ever committed twice, and none is refused that is new, whatever becomes of the filter.
 */
final class IdUniquenessTest {

  private final List<Block> blocks = SampleChain.ofSeed(5).blocks(60).toList();

  @TempDir Path directory;

  /** What may become of the files of the filter while the ledger is closed. */
  enum Harm {
    NONE(ids -> {}),
    REMOVED(ids -> files(ids).forEach(Harm::delete)),
    DIRECTORY_REMOVED(
        ids -> {
          files(ids).forEach(Harm::delete);
          delete(ids);
        }),
    EMPTIED(ids -> files(ids).forEach(file -> truncate(file, 0))),
    TRUNCATED(ids -> files(ids).forEach(file -> truncate(file, 5000))),
    A_BYTE_SHORT(ids -> files(ids).forEach(file -> truncate(file, size(file) - 1))),
    OF_NO_LEDGER(ids -> files(ids).forEach(file -> zero(file))),
    OF_LOST_BITS(ids -> files(ids).forEach(file -> zeroLines(file))),
    OF_ANOTHER_LEDGER(ids -> copy(ids.resolve("../../../foreign/block/ids"), ids)),
    OLDER_COPY(ids -> copy(ids.resolve("../../../older"), ids)),
    WITH_OTHER_FILES(
        ids -> copy(ids.resolve("layer-00"), ids.resolve("layer-01"), ids.resolve("what")));

    private final Consumer<Path> harm;

    Harm(Consumer<Path> harm) {
      this.harm = harm;
    }

    private static List<Path> files(Path directory) {
      try (Stream<Path> files = Files.list(directory)) {
        return files.toList();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void delete(Path file) {
      try {
        Files.delete(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static long size(Path file) {
      try {
        return Files.size(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void truncate(Path path, long size) {
      try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
        file.setLength(size);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void zero(Path path) {
      try {
        Files.write(path, new byte[Math.toIntExact(size(path))]);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void zeroLines(Path path) {
      try {
        byte[] bytes = Files.readAllBytes(path);
        Arrays.fill(bytes, 4096, bytes.length, (byte) 0);
        Files.write(path, bytes);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void copy(Path from, Path to) {
      for (Path file : files(from)) {
        copy(file, to.resolve(file.getFileName()), to.resolve(file.getFileName()));
      }
    }

    private static void copy(Path from, Path... to) {
      try {
        for (Path target : to) {
          Files.copy(from, target, StandardCopyOption.REPLACE_EXISTING);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyIdOfTheChainIsRefusedAndEveryOtherTaken(Harm harm) throws IOException {
    try (Ledger other = new World(directory.resolve("foreign")).open()) {
      other.commitAll(SampleChain.ofSeed(6).blocks(60).toList());
    }
    World world = new World(directory.resolve("ledger"));
    Path ids = world.directory.resolve("block/ids");
    try (Ledger ledger = world.open()) {
      ledger.commitAll(blocks.subList(0, 20));
    }
    Harm.copy(ids, Files.createDirectory(directory.resolve("older")));
    try (Ledger ledger = world.open()) {
      ledger.commitAll(blocks.subList(20, 40));
    }

    harm.harm.accept(ids);
    for (int round = 0; round < 2; round++) {
      try (Ledger ledger = world.open()) {
        assertEveryIdRefused(ledger, 40);
      }
    }
    try (Ledger ledger = world.open()) {
      ledger.commitAll(blocks.subList(40, 60));
      assertEveryIdRefused(ledger, 60);
      Replay.of(blocks).assertToldBy(ledger);
    }
  }

  /** What is not on the node any more is in its indexes: the filter is made anew of those. */
  @ParameterizedTest
  @EnumSource(names = {"NONE", "REMOVED", "EMPTIED"})
  void everyIdIsRefusedThoughItsBodyIsInTheArchive(Harm harm) {
    World world = new World(directory);
    Settings settings = world.settings();
    settings.store = new Settings.BuiltStore(new InMemoryArchiveStore());
    settings.unarchivedBlocks = 10L;
    try (Ledger ledger = world.open(settings)) {
      ledger.commitAll(blocks.subList(0, 40));
      ledger.archiver().archive(ArchiveRequest.upTo(20));
      assertEveryIdRefused(ledger, 40);
    }
    harm.harm.accept(directory.resolve("block/ids"));
    try (Ledger ledger = world.open(settings)) {
      assertThat(ledger.archivedHeight()).isEqualTo(20);
      assertEveryIdRefused(ledger, 40);
      ledger.commitAll(blocks.subList(40, 60));
      assertEveryIdRefused(ledger, 60);
    }
  }

  private void assertEveryIdRefused(Ledger ledger, int height) {
    Block newest = blocks.get(height - 1);
    for (Block block : blocks.subList(0, height)) {
      for (Transaction transaction : block.transactions()) {
        Block repeating =
            Blocks.after(newest)
                .transaction("new", Bytes.EMPTY)
                .transaction(transaction.id(), Bytes.EMPTY)
                .build();
        assertThatExceptionOfType(ConflictException.class)
            .isThrownBy(() -> ledger.commit(repeating))
            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.DUPLICATE_TRANSACTION));
      }
      Blocks sameHash = Blocks.after(newest);
      sameHash.hash = block.hash();
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> ledger.commit(sameHash.build()))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.BLOCK));
    }
    assertThat(ledger.height()).isEqualTo(height - 1);
  }

  @Test
  void aFilterThatWasMadeAnewIsKept() throws IOException {
    World world = new World(directory);
    try (Ledger ledger = world.open()) {
      ledger.commitAll(blocks);
    }
    Path layer = directory.resolve("block/ids/layer-00");
    Files.delete(layer);
    world.open().close();
    FileTime longAgo = FileTime.from(Instant.EPOCH);
    Files.setLastModifiedTime(layer, longAgo);
    world.open().close();
    assertThat(Files.getLastModifiedTime(layer)).isEqualTo(longAgo);
  }

  @Test
  void theChainOutgrowsLayerAfterLayer() {
    World world = new World(directory);
    Blocks block = Blocks.genesis();
    try (Ledger ledger = world.open()) {
      for (int height = 0; height < 3; height++) {
        for (int i = 0; i < 25_000; i++) {
          block.transaction(height + "/" + i, Bytes.EMPTY);
        }
        Block built = block.build();
        ledger.commit(built);
        block = Blocks.after(built);
      }
      assertThat(directory.resolve("block/ids/layer-01")).exists();
      assertRefused(ledger, block, "0/0", "2/24999");
    }
    try (Ledger ledger = world.open()) {
      assertRefused(ledger, block, "0/24999", "1/5", "2/24998", "2/24999");
    }
  }

  private static void assertRefused(Ledger ledger, Blocks next, String... ids) {
    for (String id : ids) {
      Block repeating = Blocks.like(next.build()).transaction(id, Bytes.EMPTY).build();
      assertThatExceptionOfType(ConflictException.class)
          .isThrownBy(() -> ledger.commit(repeating))
          .withMessageContaining(id);
    }
  }
}
